"""Requests to the application itself, over a fresh store, without a socket between."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote, urlencode

import pytest

from dovetail.tracking import places
from dovetail_server.opening import open_application
from dovetail_server.options import Options, Plan

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from dovetail_server.application import Application


@dataclass(frozen=True)
class Answered:
    """An answer, as a client gets it."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def data(self) -> Any:
        """Its body, read as JSON."""
        return json.loads(self.body)


class Asking:
    """Sends requests to an application.

    Args:
        application: It.
    """

    def __init__(self, application: Application) -> None:
        self.application = application
        self.site = application.site

    def __call__(
        self,
        verb: str,
        path: str | bytes,
        body: Any = None,
        query: Any = None,
        headers: dict[str, str] | None = None,
    ) -> Answered:
        """Send a request; a body that is no bytes is sent as JSON, short paths are below ``/api/2.0/mlflow/``."""
        return asyncio.run(self.later(verb, path, body, query, headers))

    async def later(
        self, verb: str, path: str | bytes, body: Any = None, query: Any = None, headers: dict[str, str] | None = None
    ) -> Answered:
        """The same within an event loop."""
        data = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        sent = {"host": "localhost:5000", "content-length": str(len(data))}
        if body is not None:
            sent["content-type"] = "application/json"
        sent.update(headers or {})
        raw = path if isinstance(path, bytes) else b""
        path = unquote(path.decode()) if isinstance(path, bytes) else path
        path = path if path.startswith("/") else f"/api/2.0/mlflow/{path}"
        scope = {
            "type": "http",
            "method": verb,
            "path": path,
            "raw_path": raw or quote(path).encode(),
            "query_string": urlencode(query or {}, doseq=True).encode(),
            "headers": [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in sent.items()],
        }
        messages: list[Any] = [{"type": "http.request", "body": data}, {"type": "http.disconnect"}]
        sending: list[Any] = []

        async def receive() -> Any:
            return messages.pop(0) if len(messages) > 1 else messages[0]

        async def send(message: Any) -> None:
            sending.append(message)

        await self.application(scope, receive, send)
        start = sending[0]
        found = {name.decode(): value.decode("latin-1") for name, value in start["headers"]}
        return Answered(start["status"], found, b"".join(each.get("body", b"") for each in sending[1:]))


@pytest.fixture(autouse=True)
def state_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the server keeps for itself lies with the test."""
    monkeypatch.setenv("DOVETAIL_STATE_DIR", str(tmp_path / "state"))


@pytest.fixture
def database(tmp_path: Path) -> str:
    """Where the server keeps what it is told."""
    return f"sqlite:///{tmp_path}/served.db"


@pytest.fixture
def opened(database: str) -> Iterator[Callable[..., Asking]]:
    """Opens applications with options of a plan's and of the server's own."""
    found: list[Application] = []

    def opening(*, options: dict[str, Any] | None = None, **plan: Any) -> Asking:
        application = open_application(Options(Plan(**{"tracking_uri": database, **plan}), **(options or {})))
        found.append(application)
        return Asking(application)

    yield opening
    for each in found:
        each._close()
    places.forget_stores()


@pytest.fixture
def ask(opened: Callable[..., Asking]) -> Asking:
    """Requests to a server over a fresh database."""
    return opened()
