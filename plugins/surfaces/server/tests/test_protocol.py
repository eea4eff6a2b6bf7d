"""What goes over the wire: requests in every shape that clients send them in, and answers in their order."""

from __future__ import annotations

import json
import socket
import struct
import time
from typing import TYPE_CHECKING, Any

import pytest

from dovetail_server.rehearsal import Client
from dovetail_server.testing import Server

if TYPE_CHECKING:
    from collections.abc import Iterator


LOG, GET = "/api/2.0/mlflow/runs/log-metric", "/api/2.0/mlflow/runs/get"


def request(verb: str, path: str, body: Any = None, *more: str, version: str = "1.1") -> bytes:
    data = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
    kind = [] if body is None else ["Content-Type: application/json", f"Content-Length: {len(data)}"]
    lines = [f"{verb} {path} HTTP/{version}", "Host: localhost", *kind, *more]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + data


def address_of(server: Server) -> tuple[str, int]:
    host, port = server.url.removeprefix("http://").split(":")
    return host, int(port)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with Server(tmp_path_factory.mktemp("served")) as found:
        yield found


@pytest.fixture
def run_id(server: Server) -> str:
    _, made = server.ask("POST", "runs/create", {"experiment_id": "0"})
    for _ in range(2):  # stores are opened by threads, which answer the first requests
        assert server.ask("GET", f"runs/get?run_id={made['run']['info']['run_id']}")[0] == 200
    return str(made["run"]["info"]["run_id"])


@pytest.fixture
def wire(server: Server) -> Iterator[Client]:
    with Client(address_of(server)) as found:
        yield found


def point(run_id: str, step: int, key: str = "loss") -> bytes:
    return request("POST", LOG, {"run_id": run_id, "key": key, "value": step / 2, "timestamp": 1, "step": step})


def steps(server: Server, run_id: str) -> list[int]:
    _, found = server.ask("GET", f"metrics/get-history?run_id={run_id}&metric_key=loss")
    return sorted(int(each["step"]) for each in found["metrics"])


class TestOneConnection:
    def test_takes_many_requests(self, server: Server, wire: Client, run_id: str) -> None:
        for step in range(50):
            wire.send(point(run_id, step))
            assert wire.answer()[::2] == (200, {})
            wire.send(request("GET", f"{GET}?run_id={run_id}"))
            status, _, found = wire.answer()
            assert (status, int(found["run"]["data"]["metrics"][0]["step"])) == (200, step)
        assert steps(server, run_id) == list(range(50))

    def test_answers_in_order_what_came_at_once(self, server: Server, wire: Client, run_id: str) -> None:
        ask = request("GET", f"{GET}?run_id={run_id}")
        search = request("POST", "/api/2.0/mlflow/runs/search", {"experiment_ids": ["0"], "max_results": 1})
        wire.send(point(run_id, 1), ask, search, point(run_id, 2), request("GET", "/version"), ask)
        assert wire.answer()[2] == {}
        assert int(wire.answer()[2]["run"]["data"]["metrics"][0]["step"]) == 1
        assert "runs" in wire.answer()[2]
        assert wire.answer()[2] == {}
        assert wire.answer()[2] == b"3.17.2"
        assert int(wire.answer()[2]["run"]["data"]["metrics"][0]["step"]) == 2

    def test_takes_hundreds_of_requests_at_once(self, server: Server, wire: Client, run_id: str) -> None:
        wire.send(*(point(run_id, step) for step in range(400)))
        assert [wire.answer()[0] for _ in range(400)] == [200] * 400
        assert steps(server, run_id) == list(range(400))

    def test_goes_on_behind_a_refusal(self, wire: Client, run_id: str) -> None:
        wire.send(point("0" * 32, 1), request("POST", LOG, b"{"), request("GET", GET), point(run_id, 1, "a//b"))
        codes = [(status, found["error_code"]) for status, _, found in (wire.answer() for _ in range(4))]
        assert codes == [(404, "RESOURCE_DOES_NOT_EXIST"), *[(400, "INVALID_PARAMETER_VALUE")] * 3]
        wire.send(point(run_id, 1))
        assert wire.answer()[0] == 200

    def test_may_end_before_the_answer(self, server: Server, run_id: str) -> None:
        for step in range(20):
            with Client(address_of(server)) as wire:
                wire.send(point(run_id, step))
        with Client(address_of(server)) as wire:
            wire.send(point(run_id, 20))
            assert wire.answer()[0] == 200
        assert 20 in steps(server, run_id)


class TestARequest:
    @pytest.mark.parametrize("size", [1, 7, 100])
    def test_may_come_in_pieces(self, server: Server, wire: Client, run_id: str, size: int) -> None:
        data = point(run_id, size)
        wire.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for begin in range(0, len(data), size):
            wire.send(data[begin : begin + size])
        assert wire.answer()[::2] == (200, {})
        assert steps(server, run_id) == [size]

    def test_may_have_the_same_head_as_the_one_before(self, server: Server, wire: Client, run_id: str) -> None:
        points = {step: point(run_id, step) for step in range(20, 40)}
        assert len({each.partition(b"\r\n\r\n")[0] for each in points.values()}) == 1
        for step in range(20, 30):
            assert wire.send(points[step]).answer()[0] == 200
        # Now and again it comes in pieces, together with others, or is refused.
        for piece in (points[30][:50], points[30][50:], points[31] + points[32][:-3], points[32][-3:]):
            wire.send(piece)
            time.sleep(0.02)
        assert [wire.answer()[0] for _ in range(3)] == [200] * 3
        nobodys = points[33].replace(run_id.encode(), b"0" * len(run_id))
        assert [wire.send(each).answer()[0] for each in (nobodys, points[33])] == [404, 200]
        wire.send(points[34], points[35])
        assert [wire.answer()[0] for _ in range(2)] == [200] * 2
        assert steps(server, run_id) == list(range(20, 36))

    def test_may_have_the_same_head_and_another_body_behind_an_answer_that_is_late(
        self, server: Server, wire: Client, run_id: str
    ) -> None:
        ask = request("POST", "/api/2.0/mlflow/runs/search", {"experiment_ids": ["0"], "max_results": 1})
        wire.send(point(run_id, 20)).answer()
        wire.send(ask)
        wire.send(point(run_id, 21))
        assert "runs" in wire.answer()[2]
        assert wire.answer()[2] == {}

    def test_may_have_its_body_in_chunks(self, server: Server, wire: Client, run_id: str) -> None:
        head, _, body = point(run_id, 3).partition(b"\r\n\r\n")
        head = b"\r\n".join(line for line in head.split(b"\r\n") if not line.startswith(b"Content-Length"))
        chunks = b"".join(b"1\r\n%c\r\n" % each for each in body)
        wire.send(head, b"\r\nTransfer-Encoding: chunked\r\n\r\n", chunks, b"0\r\n\r\n")
        assert wire.answer()[::2] == (200, {})
        assert steps(server, run_id) == [3]

    def test_may_ask_first_whether_to_go_on(self, wire: Client, run_id: str) -> None:
        head, _, body = point(run_id, 3).partition(b"\r\n\r\n")
        wire.send(head, b"\r\nExpect: 100-continue\r\n\r\n")
        assert wire.file.readline() == b"HTTP/1.1 100 Continue\r\n"
        assert wire.file.readline() == b"\r\n"
        wire.send(body)
        assert wire.answer()[::2] == (200, {})

    def test_may_be_the_last(self, wire: Client, run_id: str) -> None:
        wire.send(request("GET", f"{GET}?run_id={run_id}", None, "Connection: close"))
        status, headers, found = wire.answer()
        assert (status, headers["connection"], found["run"]["info"]["run_id"]) == (200, "close", run_id)
        assert wire.is_over()

    def test_may_be_of_an_old_version(self, wire: Client, run_id: str) -> None:
        wire.send(request("GET", f"{GET}?run_id={run_id}", version="1.0"))
        assert wire.answer()[2]["run"]["info"]["run_id"] == run_id
        assert wire.is_over()

    def test_may_want_the_headers_alone(self, wire: Client, run_id: str) -> None:
        wire.send(request("HEAD", f"{GET}?run_id={run_id}"), request("GET", "/health"))
        assert wire.file.readline() == b"HTTP/1.1 200 OK\r\n"
        while wire.file.readline().strip():
            pass
        assert wire.answer()[2] == b"OK", "there is no body between"

    def test_may_write_its_path_and_query_in_another_way(self, wire: Client, run_id: str) -> None:
        wire.send(request("GET", f"/api/2.0/mlflow/runs%2Fget?run_id={run_id}"))
        assert wire.answer()[2]["run"]["info"]["run_id"] == run_id
        wire.send(request("GET", f"{GET}?run_id=%{ord(run_id[0]):02x}{run_id[1:]}"))
        assert wire.answer()[2]["run"]["info"]["run_id"] == run_id

    @pytest.mark.parametrize(
        "more", ["Upgrade: websocket\r\nConnection: Upgrade", "Upgrade: h2c\r\nConnection: Upgrade"]
    )
    def test_is_answered_even_if_it_wants_to_change_the_protocol(self, wire: Client, run_id: str, more: str) -> None:
        wire.send(request("GET", f"{GET}?run_id={run_id}", None, more))
        assert wire.answer()[0] == 200

    def test_that_is_no_http_is_refused(self, server: Server, wire: Client) -> None:
        wire.send(b"\x16\x03\x01 no http\r\n\r\n")
        assert wire.answer()[0] == 400
        assert wire.is_over()
        assert server.ask("GET", "/health")[0] == 200

    def test_for_another_name_is_refused(self, wire: Client, run_id: str) -> None:
        wire.send(point(run_id, 1).replace(b"Host: localhost", b"Host: evil.example.org"))
        assert wire.answer()[0] == 403

    def test_of_another_sites_page_is_refused(self, wire: Client, run_id: str) -> None:
        head, _, body = point(run_id, 1).partition(b"\r\n\r\n")
        wire.send(head, b"\r\nOrigin: https://evil.example.org\r\n\r\n", body)
        assert wire.answer()[0] == 403

    def test_of_two_sites_pages_is_refused(self, wire: Client, run_id: str) -> None:
        head, _, body = point(run_id, 1).partition(b"\r\n\r\n")
        wire.send(head, b"\r\nOrigin: https://evil.example.org\r\nOrigin: http://localhost\r\n\r\n", body)
        assert wire.answer()[0] == 403

    def test_gets_the_headers_that_every_answer_has(self, wire: Client, run_id: str) -> None:
        wire.send(request("GET", f"{GET}?run_id={run_id}"))
        _, headers, _ = wire.answer()
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["content-type"] == "application/json"

    def test_is_counted(self, server: Server, wire: Client, run_id: str) -> None:
        wire.send(point(run_id, 1))
        wire.answer()
        _, text = server.ask("GET", "/metrics")
        worker = f'worker="{server.process.pid}"'
        assert f'dovetail_requests_total{{{worker},method="POST",route="{LOG}",status="200"}}' in text


class TestAClientThatGoes:
    def test_before_all_is_answered_is_no_trouble(self, server: Server, run_id: str) -> None:
        search = request("POST", "/api/2.0/mlflow/runs/search", {"experiment_ids": ["0"], "max_results": 5})
        for _ in range(10):
            with Client(address_of(server)) as wire:
                wire.send(*[search] * 30)
                wire.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        with Client(address_of(server)) as wire:
            assert wire.send(point(run_id, 1)).answer()[0] == 200
        assert "Traceback" not in server.errors()
        assert "without completing" not in server.errors()


class TestAWishForAnotherProtocol:
    """As ``curl --http2`` and Java's HttpClient have it with each request."""

    WISH = b"Connection: keep-alive, Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n"

    def wishing(self, data: bytes) -> bytes:
        return data.replace(b"\r\n", b"\r\n" + self.WISH, 1)

    def test_is_passed_over(self, server: Server, wire: Client, run_id: str) -> None:
        ask = self.wishing(request("GET", f"{GET}?run_id={run_id}"))
        wire.send(self.wishing(point(run_id, 1)), ask, point(run_id, 2), self.wishing(point(run_id, 3)))
        assert [wire.answer()[0] for _ in range(4)] == [200] * 4
        for step in (20, 21):  # the same head twice
            assert wire.send(self.wishing(point(run_id, step))).answer()[0] == 200
        assert steps(server, run_id) == [1, 2, 3, 20, 21]
        assert "WebSocket" not in server.errors()

    @pytest.mark.parametrize("size", [1, 40])
    def test_is_passed_over_where_the_body_comes_in_pieces_and_chunks(
        self, server: Server, wire: Client, run_id: str, size: int
    ) -> None:
        head, _, body = point(run_id, 1).partition(b"\r\n\r\n")
        head = b"\r\n".join(line for line in head.split(b"\r\n") if not line.startswith(b"Content-Length"))
        data = self.wishing(head + b"\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n" % (len(body), body))
        wire.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for begin in range(0, len(data), size):
            wire.send(data[begin : begin + size])
        assert wire.answer()[::2] == (200, {})
        assert wire.send(point(run_id, 2)).answer()[0] == 200
        assert steps(server, run_id) == [1, 2]

    def test_makes_no_request_of_a_body(self, server: Server, wire: Client, run_id: str) -> None:
        hidden = request("GET", "/version")
        head = f"POST {LOG} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        wire.send(self.wishing(f"{head}Content-Length: {len(hidden)}\r\n\r\n".encode() + hidden), point(run_id, 1))
        assert [wire.answer()[0] for _ in range(2)] == [400, 200]

    def test_of_somebody_who_takes_it_for_a_proxy_ends_the_connection(self, wire: Client) -> None:
        wire.send("CONNECT example.org:443 HTTP/1.1\r\nHost: localhost\r\n\r\n", request("GET", "/version"))
        assert wire.answer()[0] == 400
        assert wire.is_over()


class TestTheEndOfAServer:
    def test_waits_for_what_is_being_stored(self, tmp_path: Any) -> None:
        with Server(tmp_path) as server:
            _, made = server.ask("POST", "runs/create", {"experiment_id": "0"})
            run_id = str(made["run"]["info"]["run_id"])
            with Client(address_of(server)) as wire:
                wire.send(point(run_id, 0))
                assert wire.answer()[0] == 200
                wire.send(*(point(run_id, step) for step in range(1, 50)))
                assert [wire.answer()[0] for _ in range(20)] == [200] * 20
                assert server.stop() == 0
