"""Servers as people start them: processes of their own, at a free port."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from http import HTTPStatus
from typing import IO, TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    from typing_extensions import Self

__all__ = ["Server"]

_ADDRESS = re.compile(r"https?://\S+")


class Server:
    """``dovetail server`` in a process of its own.

    Args:
        folder: Its working folder.
        options: Its options, but the port.
        env: Variables it sees beside ours.
    """

    def __init__(self, folder: Path, *options: str, env: dict[str, str] | None = None) -> None:
        argv = [sys.executable, "-c", "from dovetail.cli.main import main; main()", "server", "--port", "0", *options]
        self._said = folder / "said.txt"
        with self._said.open("w") as said:
            self.process = subprocess.Popen(  # noqa: S603 - ourselves
                argv,
                cwd=folder,
                env={**os.environ, "DOVETAIL_STATE_DIR": str(folder / "state"), **(env or {})},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=said,
                text=True,
            )
        first = _line(self.process.stdout)
        found = _ADDRESS.search(first)
        if not found:
            raise AssertionError(first + self.errors())
        self.url = found[0]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self, how: int = signal.SIGTERM, timeout: float = 30) -> int:
        """End it, and say what it exited with."""
        if self.process.poll() is None:
            self.process.send_signal(how)
        try:
            return self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise
        finally:
            if self.process.stdout:
                self.process.stdout.close()

    def wait(self, seconds: float = 30) -> None:
        """Return when it answers: several processes take their time until they do."""
        until = time.monotonic() + seconds
        while not self._answers():
            if time.monotonic() > until:
                raise AssertionError(self.errors())
            time.sleep(0.05)

    def _answers(self) -> bool:
        try:
            return self.ask("GET", "/health", timeout=1)[0] == HTTPStatus.OK
        except OSError:
            return False

    def errors(self) -> str:
        """What it said on standard error."""
        return self._said.read_text()

    def ask(self, verb: str, path: str, body: Any = None, timeout: float = 30) -> tuple[int, Any]:
        """Send a request; the status, and the answer read as JSON, or as text where it is none."""
        path = path if path.startswith("/") else f"/api/2.0/mlflow/{path}"
        data = None if body is None else json.dumps(body).encode()
        headers = {"Content-Type": "application/json"}
        request = urllib.request.Request(self.url + path, data, headers, method=verb)  # noqa: S310 - our own
        try:
            with urllib.request.urlopen(request, timeout=timeout) as answer:  # noqa: S310 - our own
                return answer.status, _read(answer.read())
        except urllib.error.HTTPError as error:
            with error:
                return error.code, _read(error.read())

    def new_run(self) -> str:
        """The id of a new run in the default experiment."""
        status, found = self.ask("POST", "runs/create", {"experiment_id": "0"})
        if status != HTTPStatus.OK:
            raise AssertionError(found)
        return str(found["run"]["info"]["run_id"])


def _line(stream: IO[str] | None) -> str:
    return stream.readline() if stream else ""


def _read(data: bytes) -> Any:
    try:
        return json.loads(data)
    except ValueError:
        return data.decode("utf-8", "replace")
