"""The command line over a real database, for people, for pipes and for machines."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from typing import Any

import pytest

from dovetail.values import Metric, Param


@pytest.fixture
def run(place: Any) -> Any:
    """A run with something of everything."""
    made = place.client.create_run("0", run_name="one", tags={"stage": "try"}).info.run_id
    place.client.log_batch(
        made, metrics=[Metric("loss", 0.25), Metric("nan", float("nan"))], params=[Param("lr", "0.1")]
    )
    place.client.log_text(made, "hello", "notes/hello.txt")
    place.client.set_terminated(made)
    return made


def test_runs_are_listed(place: Any, run: str) -> None:
    heading, line = place.cli("runs", "list").out.splitlines()
    assert heading.split() == ["Run", "Name", "Status", "Started", "Took", "loss", "nan", "Experiment"]
    assert line.split()[:3] == [run, "one", "FINISHED"]


def test_a_run_is_shown_by_the_beginning_of_its_id(place: Any, run: str) -> None:
    shown = place.cli("runs", "show", run[:6])
    assert shown.exit_code == 0, shown.err
    for text in (run, "FINISHED", "lr", "0.1", "loss", "0.25", "stage", "try"):
        assert text in shown.out
    assert place.cli("artifacts", "list", "-r", run[:6], "-a", "notes").out.split()[-3:] == [
        "notes/hello.txt",
        "5",
        "B",
    ]


def test_a_beginning_that_fits_several_or_no_runs_is_refused(place: Any) -> None:
    for ending in "ab":
        place.client.create_run("0", run_id="1234" + ending * 28)
    several = place.cli("runs", "show", "1234")
    assert several.exit_code == 2
    assert "1234aaaa" in several.err
    assert "1234bbbb" in several.err
    none = place.cli("runs", "show", "99")
    assert (none.exit_code, "dovetail runs list" in none.err) == (3, True)
    for nonsense in ("%", "1234' OR 'a", "1%", ""):
        assert place.cli("runs", "show", nonsense).exit_code in (2, 3)


def test_json_is_for_machines(place: Any, run: str) -> None:
    shown = json.loads(place.cli("runs", "show", run, "--json").out)
    assert shown["data"]["metrics"] == {"loss": 0.25, "nan": "NaN"}
    assert json.loads(place.cli("runs", "describe", "--run-id", run).out) == shown
    assert [each["info"]["run_id"] for each in json.loads(place.cli("runs", "list", "--json").out)] == [run]
    assert json.loads(place.cli("experiments", "search", "--json").out)[0]["name"] == "Default"
    assert json.loads(place.cli("artifacts", "list", "-r", run, "--json").out) == [
        {"path": "notes", "is_dir": True, "file_size": None}
    ]
    assert "local" in {point["name"] for point in json.loads(place.cli("plugins", "list", "--json").out)}


def test_artifacts_go_up_and_down(place: Any, run: str) -> None:
    (place.work / "file.txt").write_text("content")
    assert place.cli("artifacts", "log-artifact", "-l", "file.txt", "-r", run, "-a", "up").exit_code == 0
    assert place.cli("artifacts", "log-artifacts", "-l", ".", "-r", run, "-a", "all").exit_code == 0
    down = place.cli("artifacts", "download", "-r", run, "-a", "up/file.txt", "-d", "down")
    assert (place.work / down.out.strip()).read_text() == "content"
    down = place.cli("artifacts", "download", "-u", f"runs:/{run}/all/file.txt", "-d", "again")
    assert (place.work / down.out.strip()).read_text() == "content"
    assert place.cli("artifacts", "download").exit_code == 2
    assert place.cli("artifacts", "download", "-r", run, "-a", "../../etc/passwd").exit_code == 2
    assert place.cli("artifacts", "download", "-r", run, "-a", "nothing").exit_code == 3


def test_the_bin(place: Any, run: str) -> None:
    assert place.cli("runs", "delete", "--run-id", run).exit_code == 0
    assert "No runs" in place.cli("runs", "list").out
    assert run in place.cli("runs", "list", "-v", "deleted_only").out
    assert "deleted" in place.cli("runs", "show", run).out
    assert place.cli("runs", "restore", "--run-id", run).exit_code == 0
    assert run in place.cli("runs", "list").out


def test_experiments(place: Any) -> None:
    assert "with id 1" in place.cli("experiments", "create", "-n", "loan").out
    assert place.cli("experiments", "create", "-n", "loan").exit_code == 4
    assert place.cli("experiments", "rename", "-x", "1", "--new-name", "credit").exit_code == 0
    assert "credit" in place.cli("experiments", "search").out
    assert place.cli("experiments", "delete", "-x", "1").exit_code == 0
    assert "credit" not in place.cli("experiments", "search").out
    assert "credit" in place.cli("experiments", "search", "-v", "all").out
    assert place.cli("experiments", "restore", "-x", "1").exit_code == 0
    assert place.cli("experiments", "delete", "-x", "99").exit_code == 3


def test_a_filter_that_cannot_be_read_is_a_line(place: Any) -> None:
    outcome = place.cli("runs", "list", "-f", "metrics.loss <")
    assert outcome.exit_code == 2
    assert outcome.err.startswith("Error: ")


def test_what_a_run_logged_cannot_drive_the_terminal(place: Any) -> None:
    made = place.client.create_run("0", run_name="\x1b[31mred\x07\nline").info.run_id
    for arguments in (("runs", "list"), ("runs", "show", made)):
        out = place.cli(*arguments).out
        assert "\x1b" not in out
        assert "\x07" not in out


@pytest.mark.skipif(shutil.which("head") is None, reason="needs head")
@pytest.mark.parametrize("count", [1, 400])
def test_a_pipe_that_closes_early_is_quiet(place: Any, count: int) -> None:
    for number in range(count):
        place.client.create_run("0", run_name=f"run {number}")
    script = f"{sys.executable} -c 'from dovetail.cli.main import main; main()' runs list -m 400 --json | head -1"
    done = subprocess.run(
        ["bash", "-c", f"set -o pipefail; {script}"], env=place.env, cwd=place.work, capture_output=True, check=False
    )
    assert done.stdout == b"[\n"
    assert done.stderr == b""
    assert done.returncode == 0


@pytest.mark.skipif(shutil.which("script") is None or sys.platform != "linux", reason="needs script of util-linux")
class TestInATerminal:
    def look(self, place: Any, command: str, columns: int = 80) -> str:
        return place.call(
            "script",
            "-qec",
            f"stty cols {columns}; {sys.executable} -c 'from dovetail.cli.main import main; main()' {command}",
            "/dev/null",
            # Tests that run side by side are told a width, which the terminal's own would give way to.
            env={"TERM": "xterm", "NO_COLOR": "", "COLUMNS": ""},
        ).out

    def test_a_status_has_a_colour_and_no_line_is_too_long(self, place: Any, run: str) -> None:
        place.client.log_batch(run, metrics=[], tags=[])
        out = self.look(place, "runs list")
        assert "\x1b[32mFINISHED\x1b[0m" in out
        plain = __import__("re").sub(r"\x1b\[[0-9;]*m", "", out)
        assert max(map(len, plain.splitlines()[:2])) <= 80
        assert "Not shown for want of room: " in self.look(place, "runs list", columns=50)
        assert "Not shown" not in self.look(place, "runs list", columns=200)

    def test_help_has_colours(self, place: Any) -> None:
        assert "\x1b[1mUsage:\x1b[0m" in self.look(place, "--help")
