"""What is between a client and its server: proxies, gateways, pages of others."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

from dovetail.errors import (
    StoreError,
    StoreUnavailable,
)
from dovetail_http.testing import answer
from dovetail_http.transport import Transport

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

    from dovetail_http.testing import StandIn

pytestmark = pytest.mark.usefixtures("quick")


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
