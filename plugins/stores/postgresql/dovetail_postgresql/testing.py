"""A PostgreSQL of the tests' own, which may be stopped and started: nobody else's may."""

from __future__ import annotations

import os
import shlex
import shutil
import socket
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["AWAY", "Server", "running_server"]

AWAY = 0.7
"""Seconds that the server is away where it breaks down."""


@contextmanager
def running_server() -> Iterator[Server]:
    """A running server in a folder of its own; the test is skipped where there are no programs for it."""
    if (found := _programs()) is None:
        _absent("PostgreSQL's own programs (initdb, pg_ctl) are not installed")
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        if os.name == "posix" and os.geteuid() == 0:
            try:
                shutil.chown(name, "postgres", "postgres")
            except LookupError:
                _absent("PostgreSQL does not run as root, and there is no user postgres")
        server = Server(found, Path(name))
        server.start()
        try:
            yield server
        finally:
            if server.runs:
                server.kill()


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
        """Start it, and return when it takes connections."""
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
        return subprocess.Popen(  # noqa: S603 - the tests' own
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
        done = subprocess.run(  # noqa: S603 - PostgreSQL's
            [self._programs / program, *argv],
            cwd=self._folder,
            stdout=subprocess.DEVNULL,
            check=False,
            **self._as_postgres(),
        )
        if done.returncode:
            raise AssertionError((program, (self._folder / "log").read_text() if program == "pg_ctl" else ""))


def _absent(reason: str) -> NoReturn:
    """Skip what cannot be tested here; where services are required, fail."""
    if os.environ.get("DOVETAIL_TEST_SERVICES") == "required":
        pytest.fail(reason)
    pytest.skip(reason)


def _programs() -> Path | None:
    """Where PostgreSQL's own programs lie; distributions keep them off the search path."""
    beside = [Path(found).resolve().parent for found in [shutil.which("pg_ctl")] if found]
    return next((each for each in [*sorted(Path("/usr/lib/postgresql").glob("*/bin")), *beside]), None)
