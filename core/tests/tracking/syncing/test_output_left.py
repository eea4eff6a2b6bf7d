"""Console output that its process could not bring in: `dovetail sync` does, and says before that it waits."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

pytest.importorskip("dovetail_sqlite")
pytest.importorskip("pty", reason="there is no relay on Windows")

import dovetail
from dovetail import folders
from dovetail.errors import StoreError
from dovetail.tracking import places
from dovetail.tracking.syncing_waiting import send_waiting, waiting

if TYPE_CHECKING:
    from collections.abc import Callable

    Script = Callable[..., subprocess.CompletedProcess[str]]

KILLED = """
import os, signal, time
import dovetail
from dovetail.tracking import console

dovetail.start_run(run_name=os.environ.get("NAME", "wine"), log_output=True)
print("hello", flush=True)
time.sleep(0.5)
relay = console._capture._relay
os.kill(relay.pid, signal.SIGKILL)
relay.wait()  # until it is gone it lives, and what it holds is left to it
os._exit(0)
"""


def output(run_name: str = "wine", uri: str = "") -> str:
    """What is kept of a run's output."""
    client = dovetail.Client(uri or dovetail.get_tracking_uri())
    (run,) = client.search_runs(["0"], filter_string=f"attributes.run_name = '{run_name}'")
    path = Path(run.info.artifact_uri.removeprefix("file://")) / "logs" / "output.log"
    return path.read_text("utf-8") if path.exists() else ""


def spools() -> list[Path]:
    return list((folders.state_folder() / "console").glob("*"))


def dovetail_sync(*arguments: str) -> subprocess.CompletedProcess[str]:
    argv = [sys.executable, "-c", "from dovetail.cli.main import main; main()", "sync", *arguments]
    return subprocess.run(argv, capture_output=True, text=True, check=False, timeout=60)


@pytest.fixture
def elsewhere(tmp_path: Path) -> str:
    """A place that is not the one in force."""
    return f"sqlite:///{tmp_path}/elsewhere.db"


class TestOutputOfAProcessThatWasKilled:
    def test_is_brought_in_by_sync(self, script: Script) -> None:
        script(KILLED)
        assert output() == ""
        (found,) = [each for each in waiting() if each.kind == "output"]
        assert (found.count, found.destination) == (1, dovetail.get_tracking_uri())
        status = dovetail_sync("--status")
        assert "console output of runs" in status.stdout
        assert output() == ""
        done = dovetail_sync()
        assert done.returncode == 0, done.stderr
        assert "1 run's console output" in done.stdout
        assert output() == "hello\n"
        assert spools() == []
        assert "Nothing waits" in dovetail_sync("--status").stdout
        assert "Nothing waits" in dovetail_sync().stdout

    def test_goes_to_where_its_run_is(self, script: Script, elsewhere: str) -> None:
        script(KILLED)
        script(KILLED, DOVETAIL_TRACKING_URI=elsewhere, NAME="beer")
        assert {each.destination for each in waiting() if each.kind == "output"} == {
            dovetail.get_tracking_uri(),
            elsewhere,
        }
        assert send_waiting().outputs == 2
        assert (output(), output("beer", elsewhere)) == ("hello\n", "hello\n")
        assert spools() == []

    def test_of_a_process_that_lives_stays_with_it(self, tmp_path: Path) -> None:
        source = KILLED.replace("os.kill(", "print('ready', flush=True); time.sleep(60); os.kill(", 1)
        with subprocess.Popen([sys.executable, "-c", source], stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            assert [process.stdout.readline(), process.stdout.readline()] == ["hello\n", "ready\n"]
            assert [each.kind for each in waiting()] == []
            assert send_waiting().outputs == 0
            os.kill(process.pid, signal.SIGTERM)

    def test_of_a_run_that_is_gone_is_said_and_keeps_no_other(self, script: Script) -> None:
        script(KILLED)
        places.forget_places()
        for path in Path.cwd().glob("dovetail.db*"):  # and all that was in it
            path.unlink()
        script(KILLED, NAME="beer")
        report = send_waiting()
        assert report.outputs == 1
        (refused,) = report.refused
        assert refused.kind == "console output"
        assert "hello\n" in output("beer")  # beside the warning that something was left behind
        assert len(spools()) == 1

    def test_waits_until_its_store_can_be_reached(self, script: Script, elsewhere: str, tmp_path: Path) -> None:
        script(KILLED, DOVETAIL_TRACKING_URI=elsewhere)
        script(KILLED)
        database = tmp_path / "elsewhere.db"
        held = database.with_suffix(".away")
        database.rename(held)
        database.mkdir()
        with pytest.raises(StoreError):
            send_waiting()
        assert output() == "hello\n"
        assert len(spools()) == 1
        database.rmdir()
        held.rename(database)
        assert send_waiting().outputs == 1
        assert output(uri=elsewhere) == "hello\n"
