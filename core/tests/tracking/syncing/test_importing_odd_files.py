"""Stories of directories of MLflow's with numbers in them that nobody expects."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import dovetail
from dovetail.tracking.mlflow_points import Histories

if TYPE_CHECKING:
    from dovetail.tracking.syncing_report import SyncReport

pytest.importorskip("dovetail_sqlite")
pytest.importorskip("dovetail_fsspec")

DATA = Path(__file__).parent / "mlflow_data" / "tree"
BEYOND = 2**63


@pytest.fixture
def directory() -> Path:
    """A directory as MLflow wrote it, on another machine; we are to bring it into a database beside it."""
    dovetail.set_tracking_uri("sqlite:///ours.db")
    return Path(shutil.copytree(DATA, Path("mlruns").absolute()))


def brought(report: SyncReport) -> tuple[int, int, int]:
    return report.runs_created, report.models_created, report.versions_created


@pytest.mark.parametrize("line", [f"{BEYOND} 0.5 1", f"1000 0.5 {BEYOND}"])
def test_a_point_beyond_64_bits_is_one_line_about_its_file(line: str, directory: Path) -> None:
    (metric,) = directory.glob("*/*/metrics/val/acc")
    metric.write_text(f"{line}\n", encoding="utf-8")
    report = dovetail.import_mlflow(directory)
    (refused,) = report.refused
    assert (refused.kind, refused.reason) == ("metric", f"{metric} holds a step or time beyond 64 bits.")
    assert brought(report) == (4, 1, 2)


@pytest.mark.parametrize("key", ["start_time", "end_time"])
def test_a_run_at_a_time_beyond_64_bits_is_refused_alone(key: str, directory: Path) -> None:
    path = next(each for each in directory.glob("*/*/meta.yaml") if "run_name: broken" in each.read_text("utf-8"))
    text = re.sub(rf"^{key}:.*$", f"{key}: {BEYOND}", path.read_text("utf-8"), flags=re.MULTILINE)
    path.write_text(text, encoding="utf-8")
    report = dovetail.import_mlflow(directory)
    (refused,) = report.refused
    assert (refused.kind, refused.id, str(BEYOND) in refused.reason) == ("run", path.parent.name, True)
    assert brought(report)[0] == 3


@pytest.mark.timeout(60)
@pytest.mark.parametrize("number", [999_999_999, 10**30, 0, -5])
@pytest.mark.parametrize("dry_run", [True, False])
def test_a_version_with_a_number_that_no_registry_comes_to_is_refused_alone(
    number: int, directory: Path, *, dry_run: bool
) -> None:
    path = max(directory.glob("models/*/version-*/meta.yaml"))
    text = re.sub(r"^version:.*$", f"version: {number}", path.read_text("utf-8"), flags=re.MULTILINE)
    path.write_text(text, encoding="utf-8")
    report = dovetail.import_mlflow(directory, dry_run=dry_run)
    refused = [each for each in report.refused if each.kind == "model_version"]
    assert [each.id.rpartition("/")[2] for each in refused] == [str(number)]
    assert "Its number is not among the 10000 after" in refused[0].reason
    assert brought(report) == (4, 1, 1)


@pytest.mark.parametrize("artifacts", ["keep", "copy", "none"])
def test_a_dry_run_counts_what_will_be_brought(artifacts: str, directory: Path) -> None:
    for folder in (*directory.glob("*/*/artifacts"), *directory.glob("*/models/*/artifacts")):
        (folder / "more.txt").write_text("more", encoding="utf-8")
    would = dovetail.import_mlflow(directory, artifacts=artifacts, dry_run=True)
    did = dovetail.import_mlflow(directory, artifacts=artifacts)
    assert {**would.__dict__, "dry_run": False} == did.__dict__
    assert did.points
    again = dovetail.import_mlflow(directory, artifacts=artifacts, dry_run=True)
    assert (again.changed, again.runs_unchanged) == (False, 4)


def test_points_come_in_the_order_of_histories_and_files_are_read_once(tmp_path: Path) -> None:
    path, histories = tmp_path / "loss", Histories()
    path.write_text("3 0.5 1\n2 nan 1\n\n2 0.25 1\n1 7.5\n", encoding="utf-8")
    read = histories.read(path, "loss")
    assert list(zip(read.timestamps, read.steps, map(repr, read.values), strict=True)) == [
        (1, 0, "7.5"),
        (2, 1, "0.25"),
        (2, 1, "nan"),
        (3, 1, "0.5"),
    ]
    assert histories.take(path, "loss") is read
    assert histories.take(path, "loss") is not read
