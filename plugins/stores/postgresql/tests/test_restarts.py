"""A server that is killed and started again while a script logs: the script neither fails nor waits, nothing is lost.

The server is one of the tests' own: nobody else's may be stopped.
"""

from __future__ import annotations

import os
import shlex
import shutil
import socket
import subprocess
import time
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import pytest

import dovetail
from dovetail.errors import StoreUnavailable
from dovetail.tracking import places

if TYPE_CHECKING:
    from collections.abc import Iterator

PATIENCE = 0.05  # seconds that a call may take
AWAY = 0.7  # seconds that the server is away


class Server:
    """A PostgreSQL in a folder."""

    def __init__(self, programs: Path, folder: Path) -> None:
        self._programs, self._folder = programs, folder
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.uri = f"postgresql://postgres@127.0.0.1:{self.port}/postgres"
        self._run("initdb", "-D", folder / "data", "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync")

    def start(self) -> None:
        self.runs = True
        self._run(
            "pg_ctl", "-D", self._folder / "data", "-w", "-l", self._folder / "log", "-o", self._options(), "start"
        )

    def kill(self) -> None:
        """End all its processes at once; what it was doing is found out when it starts again."""
        self.runs = False
        self._run("pg_ctl", "-D", self._folder / "data", "-m", "immediate", "-w", "stop")

    def breaking_down(self, times: int) -> subprocess.Popen[bytes]:
        """Kill and start it again and again, by a process apart: starting programs would hold up this one's threads."""
        control = shlex.join([str(self._programs / "pg_ctl"), "-D", str(self._folder / "data"), "-w"])
        options = shlex.quote(self._options())
        once = f"sleep {AWAY} && {control} -m immediate stop && sleep {AWAY} && {control} -l log -o {options} start"
        return subprocess.Popen(
            ["/bin/sh", "-c", " && ".join([once] * times)],
            cwd=self._folder,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            **self._as_postgres(),
        )

    def _options(self) -> str:
        return f"-p {self.port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={self._folder} -c fsync=off"

    def _as_postgres(self) -> dict[str, Any]:
        return {"user": "postgres", "group": "postgres"} if os.name == "posix" and os.geteuid() == 0 else {}

    def _run(self, program: str, *argv: str | Path) -> None:
        # What it says goes nowhere: the server would keep a pipe open.
        done = subprocess.run(
            [self._programs / program, *argv],
            cwd=self._folder,
            stdout=subprocess.DEVNULL,
            check=False,
            **self._as_postgres(),
        )
        assert done.returncode == 0, (program, (self._folder / "log").read_text() if program == "pg_ctl" else "")


def starved() -> float:
    """Seconds that threads of this process could have run while the machine was busy with something else."""
    waited = 0
    for task in Path("/proc/self/task").glob("*/schedstat"):
        with suppress(OSError):  # it has just ended
            waited += int(task.read_text().split()[1])
    return waited / 1e9


def absent(reason: str) -> NoReturn:
    """Skip what cannot be tested here; where services are required, fail."""
    if os.environ.get("DOVETAIL_TEST_SERVICES") == "required":
        pytest.fail(reason)
    pytest.skip(reason)


def programs() -> Path | None:
    """Where PostgreSQL's own programs lie; distributions keep them off the search path."""
    beside = [Path(found).resolve().parent for found in [shutil.which("pg_ctl")] if found]
    return next((each for each in [*sorted(Path("/usr/lib/postgresql").glob("*/bin")), *beside]), None)


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """A folder that the server may reach; those of pytest are the user's own."""
    import tempfile

    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        if os.name == "posix" and os.geteuid() == 0:
            try:
                shutil.chown(name, "postgres", "postgres")
            except LookupError:
                absent("PostgreSQL does not run as root, and there is no user postgres")
        yield Path(name)


@pytest.fixture(scope="module")
def server(folder: Path) -> Iterator[Server]:
    """A running server."""
    if (found := programs()) is None:
        absent("PostgreSQL's own programs (initdb, pg_ctl) are not installed")
    server = Server(found, folder)
    server.start()
    yield server
    if server.runs:
        server.kill()


@pytest.fixture(autouse=True)
def fresh(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Track there, with a folder of this test's own for what waits."""
    monkeypatch.setenv("DOVETAIL_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("DOVETAIL_JOURNAL_DIR", str(tmp_path / "journals"))
    monkeypatch.setenv("DOVETAIL_DRAIN_TIMEOUT", "0.3")
    monkeypatch.chdir(tmp_path)
    dovetail.set_tracking_uri(server.uri)
    yield
    if server.runs:
        places.forget_places()


def test_a_script_that_logs_meanwhile_neither_fails_nor_waits(server: Server, tmp_path: Path) -> None:
    taken = []
    with dovetail.start_run() as run:
        dovetail.log_metric("loss", 0.0, step=0)
        dovetail.log_param("p0", 0)
        breaking = server.breaking_down(2)
        for step in count(1):
            before, start = starved(), time.perf_counter()
            dovetail.log_metric("loss", float(step), step=step)
            if step % 100 == 0:
                dovetail.log_param(f"p{step}", step)
                dovetail.set_tag("step", step)
            end = time.perf_counter()
            taken.append(end - start - (starved() - before))
            if breaking.poll() is not None:
                break
            time.sleep(0.0002)
    assert breaking.returncode == 0
    assert max(taken) < PATIENCE
    found = dovetail.Client().get_metric_history(run.info.run_id, "loss")
    assert [(point.step, point.value) for point in found] == [(each, float(each)) for each in range(step + 1)]
    again = dovetail.get_run(run.info.run_id)
    assert again.data.params == {f"p{each}": str(each) for each in range(0, step + 1, 100)}
    assert again.data.tags["step"] == str(step // 100 * 100)
    assert again.info.status == "FINISHED"
    places.forget_stores()
    assert not list((tmp_path / "journals").rglob("*.journal"))


def test_a_run_that_ends_meanwhile_is_brought_in_by_the_next_opening(
    server: Server, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Each call of the store itself tries for ten seconds; nobody waits for that."""
    with dovetail.start_run() as run:
        dovetail.log_metric("loss", 1.0, step=1)
        dovetail.flush_async_logging()
        server.kill()
        dovetail.log_metric("loss", 2.0, step=2)
        begin = time.monotonic()
    assert time.monotonic() - begin < 5
    assert "dovetail sync" in capfd.readouterr().err
    with pytest.raises(StoreUnavailable):
        dovetail.get_run(run.info.run_id)
    with pytest.raises(StoreUnavailable):
        places.forget_stores()
    assert time.monotonic() - begin < 8
    assert len(list((tmp_path / "journals").rglob("*.journal"))) == 1
    server.start()
    places.forget_stores()
    again = dovetail.get_run(run.info.run_id)
    assert (again.info.status, again.data.metrics) == ("FINISHED", {"loss": 2.0})
    assert not list((tmp_path / "journals").rglob("*.journal"))
