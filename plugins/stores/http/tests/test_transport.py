"""Requests on bad days: servers that are away, busy or slow, connections that are cut, and what is in between."""

from __future__ import annotations

import gzip
import json
import os
import socket
import ssl
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from dovetail import hookimpl, plugins
from dovetail.errors import (
    AlreadyExists,
    InvalidInput,
    InvalidSetting,
    InvalidUri,
    NotFound,
    ParamConflict,
    StoreError,
    StoreReadOnly,
    StoreUnavailable,
)
from dovetail_http.registry import HttpRegistry
from dovetail_http.tracking import HttpTracking, NativeTracking
from dovetail_http.transport import Transport

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

CERTIFICATE = Path(__file__).with_name("localhost.pem")


class Heard(NamedTuple):
    """A request as the stand-in heard it."""

    verb: str
    path: str
    headers: dict[str, str]
    body: bytes
    connection: int

    @property
    def data(self) -> Any:
        return json.loads(self.body)


class StandIn:
    """A stand-in for a server, written by hand: it answers each request as it is told to, the last way ever after.

    Args:
        behaviours: Bytes to send, or what is done with the connection instead; nothing is sent after that.
        port: Where it listens.
        secure: Whether it speaks TLS.
    """

    def __init__(self, *behaviours: Any, port: int = 0, secure: bool = False) -> None:
        self.heard: list[Heard] = []
        self._behaviours = list(behaviours)
        self._numbers = count()
        self._socket = socket.create_server(("127.0.0.1", port))
        self._context: ssl.SSLContext | None = None
        if secure:
            self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._context.load_cert_chain(CERTIFICATE)
        self.port = self._socket.getsockname()[1]
        self.uri = f"{'https' if secure else 'http'}://127.0.0.1:{self.port}"
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        # One that waits in accept() notices only this.
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._socket.accept()
                threading.Thread(target=self._serve, args=(connection, next(self._numbers)), daemon=True).start()

    def _serve(self, connection: socket.socket, number: int) -> None:
        with suppress(OSError):
            if self._context is not None:
                connection = self._context.wrap_socket(connection, server_side=True)
            with connection, connection.makefile("rb") as file:
                while (heard := self._read(file, number)) is not None:
                    self.heard.append(heard)
                    behaviour = self._behaviours.pop(0) if len(self._behaviours) > 1 else self._behaviours[0]
                    if not isinstance(behaviour, bytes):
                        behaviour(connection)
                        return
                    connection.sendall(behaviour)

    def _read(self, file: Any, number: int) -> Heard | None:
        if not (line := file.readline()):
            return None
        verb, path, _ = line.decode().split()
        headers: dict[str, str] = {}
        while line := file.readline().strip():
            name, _, value = line.decode("latin-1").partition(":")
            headers[name.lower()] = value.strip()
        return Heard(verb, path, headers, file.read(int(headers.get("content-length", 0))), number)


def answer(data: Any = None, status: int = 200, **headers: str) -> bytes:
    """An answer in JSON, or of bytes."""
    body = data if isinstance(data, bytes) else json.dumps(data).encode()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    lines = "".join(f"{name}: {value}\r\n" for name, value in {"content-length": str(len(body)), **named}.items())
    return f"HTTP/1.1 {status} Whatever\r\n{lines}\r\n".encode() + body


def cut(connection: socket.socket) -> None:
    """End the connection without an answer."""
    connection.shutdown(socket.SHUT_RDWR)


def cut_within(connection: socket.socket) -> None:
    """End the connection in the midst of an answer."""
    connection.sendall(answer({"answer": "a" * 1000})[:-500])
    connection.shutdown(socket.SHUT_RDWR)


def wait(connection: socket.socket) -> None:
    """Say nothing until the client gives up."""
    connection.settimeout(20)
    with suppress(OSError):
        connection.recv(1)


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith(("DOVETAIL_TRACKING_", "DOVETAIL_HTTP_", "MLFLOW_"))]:
        monkeypatch.delenv(name)
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DOVETAIL_HTTP_RETRY_SECONDS", "5")


@pytest.fixture
def stand_in() -> Iterator[Callable[..., StandIn]]:
    """Makes stand-ins that live as long as the test."""
    made: list[StandIn] = []

    def make(*behaviours: Any, **options: Any) -> StandIn:
        made.append(StandIn(*behaviours, **options))
        return made[-1]

    yield make
    for each in made:
        each.close()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])


# --- bad days ------------------------------------------------------------------------------------------------


class TestAServerThatIsAway:
    def test_is_said_to_be_after_a_while(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("DOVETAIL_HTTP_RETRY_SECONDS", "0.5")
        uri = f"http://ada:tops3cret@127.0.0.1:{free_port()}/team"
        begin = time.monotonic()
        with pytest.raises(StoreUnavailable, match=r"cannot be reached: .*refused") as raised:
            Transport(uri).get("/api")
        assert 0.2 < time.monotonic() - begin < 3
        assert "tops3cret" not in str(raised.value)
        assert "127.0.0.1" in str(raised.value)

    @pytest.mark.parametrize("again", [True, False])
    def test_and_comes_back_has_done_everything(self, stand_in: Callable[..., StandIn], again: bool) -> None:
        port = free_port()
        transport = Transport(f"http://127.0.0.1:{port}")
        with ThreadPoolExecutor(1) as pool:
            asked = pool.submit(transport.post, "/api", {"a": 1}, again=again)
            time.sleep(0.3)
            back = stand_in(answer({"done": True}), port=port)
            assert asked.result(10) == {"done": True}
        assert [each.data for each in back.heard] == [{"a": 1}]

    def test_is_tried_once_where_nobody_wants_to_wait(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("DOVETAIL_HTTP_RETRY_SECONDS", "0")
        begin = time.monotonic()
        with pytest.raises(StoreUnavailable):
            Transport(f"http://127.0.0.1:{free_port()}").get("/api")
        assert time.monotonic() - begin < 0.3

    def test_has_no_such_name(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("DOVETAIL_HTTP_RETRY_SECONDS", "0")
        with pytest.raises(StoreUnavailable, match=r"http://nobody\.invalid cannot be reached: Failed to resolve"):
            Transport("http://nobody.invalid").get("/api")


class TestAServerThatIsBusy:
    @pytest.mark.parametrize("status", [429, 502, 503, 504])
    def test_is_asked_again_for_what_may_be_repeated(self, stand_in: Callable[..., StandIn], status: int) -> None:
        server = stand_in(answer(b"", status), answer(b"busy", status), answer({"a": 1}))
        assert Transport(server.uri).post("/api", {}, again=True) == {"a": 1}
        assert len(server.heard) == 3

    def test_says_when_to_come_back(self, stand_in: Callable[..., StandIn]) -> None:
        server = stand_in(answer({}, 503, retry_after="1"), answer({"a": 1}))
        begin = time.monotonic()
        assert Transport(server.uri).get("/api") == {"a": 1}
        assert time.monotonic() - begin >= 1
        assert len(server.heard) == 2

    @pytest.mark.parametrize("after", ["60", "Fri, 31 Dec 2100 23:59:59 GMT"])
    def test_and_stays_so_longer_than_we_wait_is_not_waited_for(
        self, stand_in: Callable[..., StandIn], after: str
    ) -> None:
        server = stand_in(
            answer({"error_code": "TEMPORARILY_UNAVAILABLE", "message": "Later."}, 503, retry_after=after)
        )
        begin = time.monotonic()
        with pytest.raises(StoreUnavailable, match="Later"):
            Transport(server.uri).get("/api")
        assert (time.monotonic() - begin < 2, len(server.heard)) == (True, 1)

    @pytest.mark.parametrize("after", ["soon", "9" * 5000])
    def test_and_talks_nonsense_of_when_is_asked_again_all_the_same(
        self, stand_in: Callable[..., StandIn], after: str
    ) -> None:
        server = stand_in(answer({}, 503, retry_after=after), answer({"a": 1}))
        assert Transport(server.uri).get("/api") == {"a": 1}

    def test_is_given_some_time_even_if_it_asks_for_none(
        self, stand_in: Callable[..., StandIn], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("DOVETAIL_HTTP_RETRY_SECONDS", "0.5")
        server = stand_in(answer({}, 503, retry_after="0"))
        with pytest.raises(StoreUnavailable):
            Transport(server.uri).get("/api")
        assert len(server.heard) < 10

    def test_is_not_asked_again_for_what_must_not_be_done_twice(self, stand_in: Callable[..., StandIn]) -> None:
        server = stand_in(answer({}, 503), answer({}))
        with pytest.raises(StoreUnavailable):
            Transport(server.uri).post("/api", {})
        assert len(server.heard) == 1

    def test_that_does_not_stop_is_given_up(
        self, stand_in: Callable[..., StandIn], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("DOVETAIL_HTTP_RETRY_SECONDS", "0.7")
        server = stand_in(answer({"message": "Full."}, 429))
        with pytest.raises(StoreUnavailable, match="Full"):
            Transport(server.uri).get("/api")
        assert 2 <= len(server.heard) <= 8

    def test_in_front_of_which_a_gateway_gave_up_may_have_done_it(self, stand_in: Callable[..., StandIn]) -> None:
        with pytest.raises(StoreError, match="Nobody knows whether") as raised:
            Transport(stand_in(answer(b"<html>timeout", 504)).uri).post("/api", {})
        assert not isinstance(raised.value, StoreUnavailable)


class TestAConnectionThatIsCut:
    @pytest.mark.parametrize("behaviour", [cut, cut_within])
    def test_is_made_anew_for_what_may_be_repeated(self, stand_in: Callable[..., StandIn], behaviour: Any) -> None:
        server = stand_in(behaviour, behaviour, answer({"a": 1}))
        assert Transport(server.uri).post("/api", {"b": 2}, again=True) == {"a": 1}
        assert [each.data for each in server.heard] == [{"b": 2}] * 3

    @pytest.mark.parametrize("behaviour", [cut, cut_within])
    def test_leaves_open_whether_the_rest_was_done(self, stand_in: Callable[..., StandIn], behaviour: Any) -> None:
        server = stand_in(behaviour, answer({}))
        with pytest.raises(StoreError, match=r"was lost.*Nobody knows whether the server did") as raised:
            Transport(server.uri).post("/api", {})
        assert not isinstance(raised.value, StoreUnavailable)
        assert len(server.heard) == 1

    def test_while_nothing_was_asked_is_noticed_before_something_is(self, stand_in: Callable[..., StandIn]) -> None:
        def then_cut(connection: socket.socket) -> None:
            connection.sendall(answer({"first": 1}))
            cut(connection)

        server = stand_in(then_cut, answer({"second": 2}))
        transport = Transport(server.uri)
        assert transport.get("/api") == {"first": 1}
        time.sleep(0.1)
        assert transport.post("/api", {}) == {"second": 2}

    def test_that_nobody_used_for_long_is_not_used_again(
        self, stand_in: Callable[..., StandIn], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        server = stand_in(answer({}))
        transport = Transport(server.uri)
        for _ in range(3):
            transport.get("/api")
        monkeypatch.setattr(time, "monotonic", lambda now=time.monotonic: now() + 60)
        transport.get("/api")
        assert [each.connection for each in server.heard] == [0, 0, 0, 1]


class TestASlowServer:
    def test_is_waited_for_only_so_long(
        self, stand_in: Callable[..., StandIn], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("DOVETAIL_HTTP_REQUEST_TIMEOUT", "0.2")
        monkeypatch.setenv("DOVETAIL_HTTP_RETRY_SECONDS", "0.1")
        with pytest.raises(StoreUnavailable, match=r"gave no answer in time.*\nDOVETAIL_HTTP_REQUEST_TIMEOUT"):
            Transport(stand_in(wait).uri).get("/api")
        with pytest.raises(StoreError, match="Nobody knows whether"):
            Transport(stand_in(wait).uri).post("/api")

    def test_may_answer_the_next_time(self, stand_in: Callable[..., StandIn], monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("DOVETAIL_HTTP_REQUEST_TIMEOUT", "0.3")
        assert Transport(stand_in(wait, answer({"a": 1})).uri).get("/api") == {"a": 1}

    def test_may_take_for_ever(self, stand_in: Callable[..., StandIn], monkeypatch: pytest.MonkeyPatch) -> None:
        def late(connection: socket.socket) -> None:
            time.sleep(0.5)
            connection.sendall(answer({"late": 1}))

        monkeypatch.setenv("DOVETAIL_HTTP_REQUEST_TIMEOUT", "0")
        assert Transport(stand_in(late).uri).post("/api") == {"late": 1}


# --- what is in between --------------------------------------------------------------------------------------


class TestWhatIsInBetween:
    def test_and_answers_with_a_page_is_no_server_of_ours(self, stand_in: Callable[..., StandIn]) -> None:
        page = b"<!doctype html><title>Sign in</title>" + b"<p>" * 100_000
        with pytest.raises(StoreError, match="The server answered 200 OK: <!doctype html><title>Sign in") as raised:
            Transport(stand_in(answer(page)).uri).get("/api")
        assert len(str(raised.value)) < 1000

    def test_and_fails_with_a_page_shows_its_beginning(self, stand_in: Callable[..., StandIn]) -> None:
        with pytest.raises(StoreError, match="403 Forbidden: <html>Blocked") as raised:
            Transport(stand_in(answer(b"<html>Blocked" + b"x" * 10_000, 403)).uri).get("/api")
        assert len(str(raised.value)) < 1000

    def test_is_not_read_to_the_end_where_it_fails(self, stand_in: Callable[..., StandIn]) -> None:
        sent: list[int] = []

        def endless(connection: socket.socket) -> None:
            connection.sendall(b"HTTP/1.1 500 Oh\r\ncontent-length: 999999999999\r\n\r\n")
            with suppress(OSError):
                while True:
                    sent.append(connection.send(b"x" * 100_000))

        with pytest.raises(StoreError):
            Transport(stand_in(endless).uri).get("/api")
        time.sleep(0.2)
        assert sum(sent) < 50_000_000

    @pytest.mark.parametrize("status", [301, 302, 307, 308])
    def test_and_points_elsewhere_is_not_followed(self, stand_in: Callable[..., StandIn], status: int) -> None:
        other = stand_in(answer({}))
        location = other.uri.replace("127.0.0.1", "me:s3cret@127.0.0.1") + "/api"
        server = stand_in(answer(b"", status, location=location))
        with pytest.raises(StoreError, match=rf"answered {status} and points to http://me:\*\*\*@127") as raised:
            Transport(server.uri).get("/api")
        assert "s3cret" not in str(raised.value)
        assert other.heard == []

    def test_may_be_a_proxy_that_the_environment_names(
        self, stand_in: Callable[..., StandIn], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        proxy = stand_in(answer({"a": 1}))
        monkeypatch.setenv("HTTP_PROXY", proxy.uri)
        assert Transport("http://mlflow.invalid/team").get("/api") == {"a": 1}
        assert proxy.heard[0].path == "http://mlflow.invalid/team/api"
        local = stand_in(answer({"b": 2}))
        assert Transport(local.uri).get("/api") == {"b": 2}
        monkeypatch.setenv("NO_PROXY", "mlflow.invalid")
        monkeypatch.setenv("DOVETAIL_HTTP_RETRY_SECONDS", "0")
        with pytest.raises(StoreUnavailable):
            Transport("http://mlflow.invalid").get("/api")
        assert (len(proxy.heard), len(local.heard)) == (1, 1)

    def test_may_be_a_path_that_all_is_below(self, stand_in: Callable[..., StandIn]) -> None:
        server = stand_in(answer({}))
        Transport(f"{server.uri}/a/b/").call("GET", "/api", query={"x": ["1", "ä&"], "y": None, "z": 2})
        assert server.heard[0].path == "/a/b/api?x=1&x=%C3%A4%26&z=2"


# --- who asks ------------------------------------------------------------------------------------------------


class TestWhoAsks:
    def authorization(self, server: StandIn) -> str | None:
        return server.heard[-1].headers.get("authorization")

    def test_is_said_by_the_uri_before_the_settings(
        self, stand_in: Callable[..., StandIn], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        server = stand_in(answer({}))
        Transport(server.uri).get("/api")
        assert self.authorization(server) is None
        monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", "t0ken")
        Transport(server.uri).get("/api")
        assert self.authorization(server) == "Bearer t0ken"
        monkeypatch.setenv("MLFLOW_TRACKING_USERNAME", "ada")
        monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", "pä:ss")
        Transport(server.uri).get("/api")
        assert self.authorization(server) == "Basic YWRhOnDDpDpzcw=="
        Transport(server.uri.replace("//", "//b%40b:p%2Fw@")).get("/api")
        assert self.authorization(server) == "Basic YkBiOnAvdw=="

    def test_may_change_while_the_process_lives(
        self, stand_in: Callable[..., StandIn], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        server = stand_in(answer({}))
        transport = Transport(server.uri)
        for token in ("one", "two"):
            monkeypatch.setenv("DOVETAIL_TRACKING_TOKEN", token)
            transport.get("/api")
            assert self.authorization(server) == f"Bearer {token}"

    def test_and_is_not_known_is_told_what_to_set(self, stand_in: Callable[..., StandIn]) -> None:
        server = stand_in(answer({"error_code": "UNAUTHENTICATED", "message": "Who are you?"}, 401))
        with pytest.raises(StoreError, match="Who are you") as raised:
            Transport(server.uri.replace("//", "//ada:wr0ng@")).get("/api")
        assert "DOVETAIL_TRACKING_TOKEN" in str(raised.value)
        assert "wr0ng" not in f"{raised.value!r} {raised.value.__cause__!r} {raised.value.__context__!r}"
        assert len(server.heard) == 1

    def test_and_may_not_is_told_so(self, stand_in: Callable[..., StandIn]) -> None:
        with pytest.raises(StoreReadOnly, match="You may not"):
            Transport(stand_in(answer({"error_code": "PERMISSION_DENIED", "message": "You may not."}, 403)).uri).get(
                "/a"
            )

    @pytest.mark.parametrize("token", ["s3cret\nx: y", "s3cret\u2028"])
    def test_with_a_token_that_no_header_can_hold_hears_of_it_but_not_which(
        self, stand_in: Callable[..., StandIn], monkeypatch: pytest.MonkeyPatch, token: str
    ) -> None:
        server = stand_in(answer({}))
        monkeypatch.setenv("DOVETAIL_TRACKING_TOKEN", token)
        with pytest.raises(StoreError, match="DOVETAIL_TRACKING_TOKEN") as raised:
            Transport(server.uri).get("/api")
        assert "s3cret" not in f"{raised.value} {raised.value.__cause__}"
        assert server.heard == []

    def test_may_be_said_by_plugins(self, stand_in: Callable[..., StandIn], monkeypatch: pytest.MonkeyPatch) -> None:
        asked: list[str] = []

        class Gate:
            @hookimpl
            def dovetail_request_headers(self, uri: str) -> Mapping[str, str]:
                asked.append(uri)
                return {"authorization": "Gate 1", "X-Team": "wine"}

        monkeypatch.setattr(plugins, "collect", plugins.Plugins([]).collect)
        known = plugins.Plugins([])
        known.register(Gate())
        monkeypatch.setattr(plugins, "collect", known.collect)
        monkeypatch.setenv("DOVETAIL_TRACKING_TOKEN", "t0ken")
        server = stand_in(answer({}))
        Transport(server.uri.replace("//", "//ada:s3cret@")).get("/api")
        assert (self.authorization(server), server.heard[0].headers["x-team"]) == ("Gate 1", "wine")
        assert asked == [server.uri]


class TestAServerThatSpeaksTls:
    def test_is_trusted_by_the_certificate_that_a_setting_names(
        self, stand_in: Callable[..., StandIn], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("MLFLOW_TRACKING_SERVER_CERT_PATH", str(CERTIFICATE))
        assert Transport(stand_in(answer({"a": 1}), secure=True).uri).get("/api") == {"a": 1}

    def test_is_not_trusted_without(self, stand_in: Callable[..., StandIn]) -> None:
        server = stand_in(answer({}), secure=True)
        begin = time.monotonic()
        with pytest.raises(StoreError, match=r"TLS: .*certificate") as raised:
            Transport(server.uri).get("/api")
        assert not isinstance(raised.value, StoreUnavailable)
        assert "DOVETAIL_TRACKING_SERVER_CERT_PATH" in str(raised.value)
        assert (server.heard, time.monotonic() - begin < 3) == ([], True)

    def test_is_talked_to_in_any_case_where_somebody_wants_that(
        self, stand_in: Callable[..., StandIn], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("MLFLOW_TRACKING_INSECURE_TLS", "true")
        assert Transport(stand_in(answer({"a": 1}), secure=True).uri).get("/api") == {"a": 1}

    @pytest.mark.parametrize("name", ["tracking_server_cert_path", "tracking_client_cert_path"])
    def test_needs_certificates_that_are_there(self, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
        monkeypatch.setenv(f"DOVETAIL_{name.upper()}", "/nowhere/cert.pem")
        with pytest.raises(InvalidSetting, match=f"{name} is '/nowhere/cert.pem', by DOVETAIL_{name.upper()}"):
            Transport("https://127.0.0.1:1").get("/api")


# --- bodies and answers --------------------------------------------------------------------------------------


class TestABody:
    def test_is_packed_where_the_server_takes_it_so_and_it_pays(self, stand_in: Callable[..., StandIn]) -> None:
        server = stand_in(answer({}))
        transport = Transport(server.uri)
        long, short = {"a": "b" * 10_000}, {"a": "b"}
        transport.post("/api", long)
        transport.packs = True
        for body in (long, short):
            transport.post("/api", body)
        plain, packed, little = server.heard
        assert (plain.data, little.data, json.loads(gzip.decompress(packed.body))) == (long, short, long)
        assert [each.headers.get("content-encoding") for each in server.heard] == [None, "gzip", None]
        assert len(packed.body) < 1000

    @pytest.mark.parametrize("body", [{"a": object()}, {"a": float("nan")}, {"a": b"x"}, {"a": {1, 2}}])
    def test_that_json_cannot_hold_is_refused_before_it_goes(self, stand_in: Callable[..., StandIn], body: Any) -> None:
        server = stand_in(answer({}))
        with pytest.raises(InvalidInput, match="cannot be sent"):
            Transport(server.uri).post("/api", body)
        assert server.heard == []

    def test_may_hold_half_a_character(self, stand_in: Callable[..., StandIn]) -> None:
        server = stand_in(answer({}))
        Transport(server.uri).post("/api", {"a": "\ud800"})
        assert server.heard[0].data == {"a": "\ud800"}


class TestAnAnswer:
    def test_may_be_packed_empty_or_text(self, stand_in: Callable[..., StandIn]) -> None:
        packed = answer(gzip.compress(b'{"a": 1}'), content_encoding="gzip")
        transport = Transport(stand_in(packed, answer(b""), answer("text")).uri)
        assert [transport.get("/api") for _ in range(3)] == [{"a": 1}, None, "text"]

    @pytest.mark.parametrize(
        ("status", "data", "kind"),
        [
            (
                400,
                {"error_type": "ParamConflict", "error_code": "INVALID_PARAMETER_VALUE", "message": "a"},
                ParamConflict,
            ),
            (400, {"error_code": "RESOURCE_ALREADY_EXISTS", "message": "a"}, AlreadyExists),
            (404, {"error_code": "RESOURCE_DOES_NOT_EXIST", "message": "a"}, NotFound),
            (500, {"error_code": "INTERNAL_ERROR", "message": "a"}, StoreError),
        ],
    )
    def test_that_refuses_is_raised_as_what_it_is(
        self, stand_in: Callable[..., StandIn], status: int, data: Any, kind: type[Exception]
    ) -> None:
        with pytest.raises(kind) as raised:
            Transport(stand_in(answer(data, status)).uri).get("/api")
        assert type(raised.value) is kind

    def test_that_refuses_leaves_the_connection_as_it_is(self, stand_in: Callable[..., StandIn]) -> None:
        server = stand_in(answer({"message": "no"}, 404), answer({}))
        transport = Transport(server.uri)
        with pytest.raises(NotFound):
            transport.get("/api")
        transport.get("/api")
        assert [each.connection for each in server.heard] == [0, 0]

    @pytest.mark.parametrize("status", [404, 405, 501])
    def test_may_be_that_there_is_nothing(self, stand_in: Callable[..., StandIn], status: int) -> None:
        assert Transport(stand_in(answer(b"<html>", status)).uri).look("/api") is None
        assert Transport(stand_in(answer(b"<html>")).uri).look("/api") == "<html>"

    def test_may_be_read_in_pieces(self, stand_in: Callable[..., StandIn]) -> None:
        transport = Transport(stand_in(answer(b"x" * 1000), answer({"message": "no"}, 404)).uri)
        response = transport.open("PUT", "/file", b"body", headers={"X-A": "b"})
        assert response.read(10) == b"x" * 10
        response.close()
        with pytest.raises(NotFound):
            transport.open("GET", "/file")


# --- threads and processes -----------------------------------------------------------------------------------


class TestATransport:
    def test_serves_many_threads_at_once(self, stand_in: Callable[..., StandIn]) -> None:
        server = stand_in(answer({"a": 1}))
        transport = Transport(server.uri)
        with ThreadPoolExecutor(8) as pool:
            assert list(pool.map(lambda _: transport.get("/api"), range(80))) == [{"a": 1}] * 80
        assert len({each.connection for each in server.heard}) <= 8

    @pytest.mark.skipif(not hasattr(os, "fork"), reason="processes are not forked here")
    @pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
    def test_begins_anew_in_a_forked_child(self, stand_in: Callable[..., StandIn]) -> None:
        server = stand_in(answer({"a": 1}))
        with closing(Transport(server.uri)) as transport:
            transport.get("/parent")
            if not (child := os.fork()):
                # Nothing of the test goes on here, whatever happens.
                try:
                    transport.get("/child")
                    os._exit(0 if transport.get("/child") == {"a": 1} else 1)
                finally:
                    os._exit(2)
            assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
            transport.get("/parent")
        connections = {
            path: {each.connection for each in server.heard if each.path == path} for path in ("/parent", "/child")
        }
        assert connections == {"/parent": {0}, "/child": {1}}

    def test_may_be_closed_twice(self) -> None:
        transport = Transport("http://127.0.0.1:1")
        transport.close()
        transport.close()


class TestWhoseServerItIs:
    @pytest.mark.parametrize(
        "said", [answer(b"<html>Not found", 404), answer(b"", 405), answer(b"<html>App"), answer({"status": "OK"})]
    )
    def test_is_mlflows_where_it_does_not_say_that_it_is_ours(
        self, stand_in: Callable[..., StandIn], said: bytes
    ) -> None:
        server = stand_in(said)
        assert type(HttpTracking(server.uri).chosen).__name__ == "MlflowTracking"
        assert type(HttpRegistry(server.uri).chosen).__name__ == "MlflowRegistry"
        assert [each.path for each in server.heard] == ["/api/dovetail/1"] * 2

    def test_is_ours_where_it_says_so(self, stand_in: Callable[..., StandIn]) -> None:
        server = stand_in(answer({"version": "0.1.0", "gzip": True}), answer({"answer": 5}))
        store = HttpTracking(server.uri)
        assert store.applied("w" * 5000) == 5
        assert server.heard[1].headers["content-encoding"] == "gzip"
        assert json.loads(gzip.decompress(server.heard[1].body)) == {"writer": "w" * 5000}

    def test_is_not_guessed_where_it_does_not_let_us_in(self, stand_in: Callable[..., StandIn]) -> None:
        server = stand_in(answer({"message": "Who?"}, 401), answer({"version": "0.1.0"}))
        store = HttpTracking(server.uri)
        with pytest.raises(StoreError, match="Who"):
            store.chosen  # noqa: B018 - asks
        assert isinstance(store.chosen, NativeTracking)


class TestAnAddress:
    @pytest.mark.parametrize(
        "uri",
        [
            "http://", "http:/host", "http://host:port", "http://host:99999", "http://host?x=1", "http://host#x",
            "http://ho st", "ftp://host", "http://ada:s3cret@", "http://[::1",
        ],
    )  # fmt: skip
    def test_that_is_none_is_refused(self, uri: str) -> None:
        with pytest.raises(InvalidUri) as raised:
            Transport(uri)
        assert "s3cret" not in str(raised.value)

    @pytest.mark.parametrize(
        ("uri", "base"),
        [
            ("http://host", "http://host"),
            ("HTTPS://Host:8443/", "https://host:8443"),
            ("http://a:b@host:5000/x/y//", "http://host:5000/x/y"),
            ("http://[::1]:5000", "http://[::1]:5000"),
        ],
    )
    def test_is_told_without_who_asks(self, uri: str, base: str) -> None:
        transport = Transport(uri)
        assert (transport.address.base, transport.uri) == (base, uri.rstrip("/"))
        assert "b@" not in repr(transport.address)
