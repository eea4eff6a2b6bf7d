"""``dovetail artifacts``, over stores in memory."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from dovetail import Client


@pytest.fixture
def run(drawer: None) -> str:
    """A run with three files."""
    run_id: str = Client().create_run("0").info.run_id
    for path, size in (("plots/loss.svg", 1500), ("plots/deep/roc.svg", 10), ("notes.txt", 1)):
        Client().log_text(run_id, "x" * size, path)
    return run_id


class TestList:
    def test_one_folder(self, dovetail: Any, run: str) -> None:
        assert dovetail("artifacts", "list", "-r", run[:8]).out.splitlines()[1:] == ["notes.txt   1 B", "plots/"]

    def test_all_below_with_their_sizes_in_all(self, dovetail: Any, run: str) -> None:
        assert dovetail("artifacts", "list", "-r", run, "--recursive").out.splitlines() == [
            "Path                  Size",
            "notes.txt              1 B",
            "plots/deep/roc.svg    10 B",
            "plots/loss.svg      1.5 kB",
            "3 files, 1.5 kB",
        ]

    def test_all_below_a_folder_as_json(self, dovetail: Any, run: str) -> None:
        told = json.loads(dovetail("artifacts", "list", "-r", run, "-a", "plots", "--recursive", "--json").out)
        assert told == [
            {"path": "plots/deep/roc.svg", "is_dir": False, "file_size": 10},
            {"path": "plots/loss.svg", "is_dir": False, "file_size": 1500},
        ]

    def test_nothing(self, dovetail: Any, run: str) -> None:
        done = dovetail("artifacts", "list", "-r", run, "-a", "gone", "--recursive")
        assert (done.exit_code, done.out) == (0, f"Nothing under gone of run {run}.\n")
        assert json.loads(dovetail("artifacts", "list", "-r", run, "-a", "gone", "--json").out) == []

    @pytest.mark.parametrize("path", ["../other", "/etc"])
    def test_a_path_that_leads_elsewhere(self, dovetail: Any, run: str, path: str) -> None:
        assert dovetail("artifacts", "list", "-r", run, "-a", path, "--recursive").exit_code == 2

    def test_of_no_run(self, dovetail: Any, run: str) -> None:
        assert dovetail("artifacts", "list", "-r", "f" * 32).exit_code == 3


class TestDownload:
    def test_as_json(self, dovetail: Any, run: str) -> None:
        told = json.loads(dovetail("artifacts", "download", "-r", run, "-a", "plots", "-d", "down", "--json").out)
        assert (Path(told["path"]) / "deep" / "roc.svg").read_text() == "x" * 10

    def test_of_any_location(self, dovetail: Any, run: str) -> None:
        Path("here.txt").write_text("here")
        for uri, name in ((f"runs:/{run}/notes.txt", "notes.txt"), ("here.txt", "here.txt")):
            path = dovetail("artifacts", "download", "-u", uri, "-d", "down").out.strip()
            assert Path(path) == Path("down").absolute() / name
            assert Path(path).is_file()

    def test_of_two_places_at_once(self, dovetail: Any, run: str) -> None:
        for arguments in (["-r", run, "-u", "x"], [], ["-u", f"runs:/{run}", "-a", "plots"]):
            assert dovetail("artifacts", "download", *arguments).exit_code == 2

    def test_of_nothing(self, dovetail: Any, run: str) -> None:
        done = dovetail("artifacts", "download", "-r", run, "-a", "gone", "--json")
        assert (done.exit_code, done.out) == (3, "")


class TestUpload:
    def test_a_file(self, dovetail: Any, run: str) -> None:
        Path("a b.txt").write_text("here")
        done = dovetail("artifacts", "log-artifact", "-l", "a b.txt", "-r", run[:8], "-a", "more", "--json")
        assert json.loads(done.out) == {
            "run_id": run,
            "artifact_path": "more/a b.txt",
            "uri": f"runs:/{run}/more/a b.txt",
        }
        assert [each.path for each in Client().list_artifacts(run, "more")] == ["more/a b.txt"]

    def test_a_folder(self, dovetail: Any, run: str) -> None:
        Path("box/in").mkdir(parents=True)
        Path("box/in/a.txt").write_text("here")
        assert dovetail("artifacts", "log-artifacts", "-l", "box", "-r", run).out == (
            f"Uploaded what is in box to run {run}.\n"
        )
        told = json.loads(dovetail("artifacts", "log-artifacts", "-l", "box", "-r", run, "-a", "q", "--json").out)
        assert told["artifact_path"] == "q"
        assert [each.path for each in Client().list_artifacts(run, "q/in")] == ["q/in/a.txt"]

    def test_what_is_not_there(self, dovetail: Any, run: str) -> None:
        for command, option in (("log-artifact", "-l"), ("log-artifacts", "-l")):
            done = dovetail("artifacts", command, option, "gone", "-r", run, "--json")
            assert (done.exit_code, done.out) == (3, "")

    def test_a_file_where_a_folder_is_asked_for(self, dovetail: Any, run: str) -> None:
        Path("a.txt").write_text("here")
        assert dovetail("artifacts", "log-artifacts", "-l", "a.txt", "-r", run).exit_code == 2
