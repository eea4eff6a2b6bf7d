"""A server in a thread of this process, and connections on which requests are written by hand; for tests."""

from __future__ import annotations

import json
import socket
import threading
import time
from typing import TYPE_CHECKING, Any

import uvicorn

from dovetail.tracking import places
from dovetail_server.listening import listener
from dovetail_server.opening import open_application
from dovetail_server.options import Options, Plan
from dovetail_server.running import config_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from typing_extensions import Self

__all__ = ["CREATE", "HEALTH", "PROXY", "Client", "Serving", "eventually", "is_well"]

PROXY = "/api/2.0/mlflow-artifacts/artifacts"
HEALTH = "GET /health HTTP/1.1\r\nHost: localhost\r\n"
CREATE = "POST /api/2.0/mlflow/experiments/create HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
_LONG = 60.0


class Serving:
    """A server in a thread of this process, so that its patience can be changed.

    Args:
        folder: Where everything lies.
        grace: Seconds that requests may take once it is told to end.
    """

    def __init__(self, folder: Path, grace: int = 5) -> None:
        self.kept = folder / "kept"
        self.kept.mkdir()
        plan = Plan(f"sqlite:///{folder}/served.db", artifact_root=self.kept.as_uri())
        self._application = open_application(Options(plan))
        config = config_of(self._application)
        config.timeout_graceful_shutdown = grace
        self._socket = listener("127.0.0.1", 0)
        self.address = self._socket.getsockname()
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, args=([self._socket],))

    def __enter__(self) -> Self:
        self._thread.start()
        eventually(lambda: self._server.started)
        return self

    def __exit__(self, *_: object) -> None:
        self.end()
        places.forget_stores()

    def end(self) -> None:
        """Tell it to end, and wait until it has."""
        self._server.should_exit = True
        self._thread.join(_LONG)
        if self._thread.is_alive():
            raise AssertionError("the server does not end")

    @property
    def connections(self) -> int:
        """How many it has."""
        return len(self._server.server_state.connections)

    @property
    def coming(self) -> int:
        """Bytes that have arrived of bodies that are not whole yet."""
        return self._application.coming

    def everything(self) -> list[str]:
        """What is really on disk, hidden or not."""
        return sorted(path.name for path in self.kept.rglob("*") if path.is_file())


class Client:
    """A connection on which requests are written by hand.

    Args:
        address: Where to.
        buffer: Bytes that may arrive before they are read, if that is to be few.
    """

    def __init__(self, address: tuple[str, int], buffer: int | None = None) -> None:
        self.socket = socket.socket()
        if buffer is not None:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
        self.socket.settimeout(_LONG)
        self.socket.connect(address)
        self.file = self.socket.makefile("rb")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.file.close()
        self.socket.close()

    def send(self, *data: str | bytes) -> Self:
        """Send something."""
        self.socket.sendall(b"".join(each.encode() if isinstance(each, str) else each for each in data))
        return self

    def put(self, name: str, size: int, sent: int) -> Self:
        """Begin an upload."""
        head = f"PUT {PROXY}/{name} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {size}\r\n\r\n"
        return self.send(head, bytes(sent))

    def answer(self) -> tuple[int, dict[str, str], Any]:
        """Status, headers and body of the next answer."""
        first = self.file.readline()
        if not first:
            raise AssertionError("the server has closed the connection")
        headers = {}
        while line := self.file.readline().strip():
            name, _, value = line.decode().partition(": ")
            headers[name.lower()] = value
        body = self.file.read(int(headers.get("content-length", 0)))
        is_json = headers.get("content-type") == "application/json"
        return int(first.split()[1]), headers, json.loads(body) if is_json else body

    def is_over(self) -> bool:
        """Whether the server closed it."""
        try:
            return self.file.read(1) == b""
        except ConnectionResetError:
            return True


def is_well(serving: Serving) -> bool:
    """Whether a server answers to others."""
    with Client(serving.address) as client:
        return client.send(HEALTH, "\r\n").answer()[0] == 200  # noqa: PLR2004 - HTTP's


def eventually(true: Callable[[], object]) -> None:
    """Return when something is true.

    Raises:
        AssertionError: It does not come to be.
    """
    until = time.monotonic() + _LONG
    while not true():
        if time.monotonic() > until:
            raise AssertionError("it does not come to be")
        time.sleep(0.02)
