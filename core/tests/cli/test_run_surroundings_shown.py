"""``dovetail runs show`` tells what surrounded a run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dovetail.cli.run_surroundings import code_of, kept_with
from dovetail.tracking.surroundings import FOLDER
from dovetail.values import Run, RunInfo

if TYPE_CHECKING:
    from pathlib import Path

GIT = "mlflow.source.git."


def run_at(location: Path) -> Run:
    info = RunInfo(run_id="a" * 32, experiment_id="0", status="FINISHED", artifact_uri=location.as_uri(), start_time=0)
    return Run(info)


def test_the_commit_alone_is_all_of_the_code() -> None:
    assert code_of({f"{GIT}commit": "abc", f"{GIT}dirty": "False"}) == "abc"


def test_it_is_not_where_there_are_changes() -> None:
    tags = {f"{GIT}commit": "abc", f"{GIT}branch": "main", f"{GIT}dirty": "True"}
    assert code_of(tags) == "abc on main with uncommitted changes"


def test_without_a_commit_there_is_nothing_to_tell() -> None:
    assert code_of({}) == code_of({f"{GIT}branch": "main"}) == ""


def test_files_are_named_where_they_are_kept(tmp_path: Path) -> None:
    assert kept_with(run_at(tmp_path)) == ""
    for name in ("logs/output.log", f"{FOLDER}/packages.txt", f"{FOLDER}/command.txt", "model/weights"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("", encoding="utf-8")
    assert kept_with(run_at(tmp_path)) == f"logs/output.log, {FOLDER}/command.txt, {FOLDER}/packages.txt"


def test_a_place_that_cannot_be_listed_is_told(tmp_path: Path) -> None:
    run = run_at(tmp_path)
    elsewhere = run.info.__class__(**{**run.info.__dict__, "artifact_uri": "nowhere://bucket"})
    assert kept_with(Run(elsewhere)).startswith("unknown, since its artifacts cannot be listed: ")
