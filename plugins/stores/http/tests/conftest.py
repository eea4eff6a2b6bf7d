"""A server of dovetail's own in this process, which serves a fresh database to each test below a path of its own."""

from __future__ import annotations

import os
import threading
import time
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import uvicorn

from dovetail.tracking import places
from dovetail_http.testing import StandIn
from dovetail_server.listening import listener
from dovetail_server.opening import open_application
from dovetail_server.options import Options, Plan
from dovetail_server.running import config_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from typing_extensions import Self

    from dovetail_server.application import Application

_CERTIFICATE = Path(__file__).with_name("localhost.pem")


class _Losing:
    """Sends all of an answer but its last byte."""

    def __init__(self, send: Any) -> None:
        self._send = send

    async def __call__(self, message: Any) -> None:
        if message["type"] == "http.response.body":
            message = {**message, "body": message["body"][:-1], "more_body": True}
        await self._send(message)


class House:
    """Applications below paths of their own, at one port."""

    def __init__(self) -> None:
        self._applications: dict[str, Application] = {}
        self.asked: list[str] = []
        """The calls that came in, by the last piece of their paths."""
        self._lost: list[str] = []
        self._socket = listener("127.0.0.1", 0)
        self.uri = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        config = config_of(self)
        config.lifespan = "off"  # applications come and go with tests
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, kwargs={"sockets": [self._socket]})

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        call = scope["path"].rpartition("/")[2]
        self.asked.append(call)
        if call in self._lost:
            self._lost.remove(call)
            send = _Losing(send)
        await self._applications[scope["path"].split("/")[1]](scope, receive, send)

    def lose(self, call: str, times: int = 1) -> None:
        """Do what is asked for, and break the answer off in the midst, as a network may."""
        self._lost += [call] * times

    def open(self, database: str | Plan, **options: Any) -> str:
        """Serve a database, or what a plan says; the address it is served at."""
        name = uuid.uuid4().hex[:8]
        plan = Plan(database) if isinstance(database, str) else database
        self._applications[name] = open_application(Options(plan, prefix=f"/{name}", **options))
        return f"{self.uri}/{name}"

    def clear(self) -> None:
        """Serve nothing any more."""
        self._lost.clear()
        self.asked.clear()
        while self._applications:
            self._applications.popitem()[1]._close()
        places.forget_stores()

    def __enter__(self) -> Self:
        self._thread.start()
        while not self._server.started:
            time.sleep(0.005)
        return self

    def __exit__(self, *_: object) -> None:
        self._server.should_exit = True
        self._thread.join(30)
        self._socket.close()
        assert not self._thread.is_alive()


@pytest.fixture(scope="session")
def house() -> Iterator[House]:
    with House() as house:
        yield house


@pytest.fixture
def serve(house: House) -> Iterator[Callable[..., str]]:
    """Serves a database for the length of a test and says where."""
    yield house.open
    house.clear()


@pytest.fixture
def uri(serve: Callable[..., str], tmp_path: Path) -> str:
    """Where a store is served that nobody has used yet."""
    return serve(f"sqlite:///{tmp_path}/served.db")


# --- stand-ins -----------------------------------------------------------------------------------------------


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing that the environment says of servers, and five seconds for one that is away."""
    for name in [name for name in os.environ if name.startswith(("DOVETAIL_TRACKING_", "DOVETAIL_HTTP_", "MLFLOW_"))]:
        monkeypatch.delenv(name)
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DOVETAIL_HTTP_RETRY_SECONDS", "5")


@pytest.fixture
def stand_in() -> Iterator[Callable[..., StandIn]]:
    """Makes stand-ins that live as long as the test."""
    made: list[StandIn] = []

    def make(*behaviours: Any, secure: bool = False, port: int = 0) -> StandIn:
        made.append(StandIn(*behaviours, port=port, certificate=_CERTIFICATE if secure else None))
        return made[-1]

    yield make
    for each in made:
        each.close()
