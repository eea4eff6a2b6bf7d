"""Requests and answers as they travel, and who shares a transport."""

from __future__ import annotations

import gzip
import json
import os
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from dovetail.errors import (
    AlreadyExists,
    InvalidInput,
    InvalidUri,
    NotFound,
    ParamConflict,
    StoreError,
)
from dovetail_http.testing import answer
from dovetail_http.transport import Transport

if TYPE_CHECKING:
    from collections.abc import Callable

    from dovetail_http.testing import StandIn

pytestmark = pytest.mark.usefixtures("quick")


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


def test_a_port_that_is_too_high_is_said_to_be() -> None:
    with pytest.raises(InvalidUri, match=r"http://127\.0\.0\.1:99999.* has a port that is too high: 65535 is"):
        Transport("http://127.0.0.1:99999")
