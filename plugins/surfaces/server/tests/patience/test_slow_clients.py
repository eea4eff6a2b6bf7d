"""Clients that keep a server waiting: over real sockets, to a server with little patience."""

from __future__ import annotations

import os
import threading
import time
from typing import TYPE_CHECKING

import pytest

from dovetail_server import patience
from dovetail_server.protocol import LARGEST_HEAD, MOST_HEADERS
from dovetail_server.rehearsal import CREATE, HEALTH, PROXY, Client, Serving, eventually, is_well

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MB = 1 << 20


@pytest.mark.usefixtures("impatient")
class TestAHead:
    @pytest.fixture
    def dripping(self) -> Iterator[Callable[[Client], None]]:
        """Lets a client send a byte now and again, for as long as anybody takes it."""
        over = threading.Event()
        threads = []

        def drip(client: Client) -> None:
            try:
                while not over.wait(0.1):
                    client.send("x")
            except OSError:  # nobody takes it any more
                return

        def begin(client: Client) -> None:
            threads.append(threading.Thread(target=drip, args=(client,)))
            threads[-1].start()

        yield begin
        over.set()
        for each in threads:
            each.join()

    def test_that_never_ends_is_not_waited_for(self, serving: Serving, dripping: Callable[[Client], None]) -> None:
        with Client(serving.address) as client:
            client.send(HEALTH, "X-Long: ")
            dripping(client)
            status, headers, found = client.answer()
            assert (status, headers["connection"], found["error_code"]) == (408, "close", "DEADLINE_EXCEEDED")
            assert client.is_over()
        assert is_well(serving)

    def test_that_does_not_begin_gets_no_answer(self, serving: Serving, client: Client) -> None:
        assert client.is_over()
        assert is_well(serving)

    def test_may_follow_another_after_a_while(self, client: Client) -> None:
        """A connection that is kept open is uvicorn's to close."""
        for _ in range(2):
            assert client.send(HEALTH, "\r\n").answer()[0] == 200
            time.sleep(patience.PERIOD * 2)
        assert client.send(HEALTH, "\r\n").answer()[0] == 200

    def test_that_does_not_end_behind_another_request_is_not_waited_for(self, client: Client) -> None:
        client.send(HEALTH, "\r\n", "GET /hea")
        assert client.answer()[0] == 200
        assert client.answer()[0] == 408
        assert client.is_over()

    def test_of_empty_lines_keeps_no_connection(self, client: Client) -> None:
        assert client.send(HEALTH, "\r\n").answer()[0] == 200
        client.send("\r\n")
        assert client.is_over()


class TestALargeHead:
    @pytest.mark.parametrize("end", ["\r\n\r\n", ""], ids=["whole", "endless"])
    def test_is_refused(self, serving: Serving, client: Client, end: str) -> None:
        size = LARGEST_HEAD + 1 if end else 8 * LARGEST_HEAD
        client.send(HEALTH, "X-Large: ", "x" * size, end)
        status, headers, found = client.answer()
        assert (status, headers["connection"], found["error_code"]) == (431, "close", "INVALID_PARAMETER_VALUE")
        assert client.is_over()
        assert is_well(serving)

    def test_may_be_as_large_as_some_are(self, client: Client) -> None:
        assert client.send(HEALTH, "Cookie: ", "x" * (LARGEST_HEAD - 1000), "\r\n\r\n").answer()[0] == 200

    @pytest.mark.parametrize(("more", "status"), [(0, 200), (1, 431)])
    def test_may_have_so_many_headers(self, client: Client, more: int, status: int) -> None:
        headers = "".join(f"X-{number}: x\r\n" for number in range(MOST_HEADERS - 1 + more))
        assert client.send(HEALTH, headers, "\r\n").answer()[0] == status

    def test_does_not_spoil_what_was_sent_before(self, client: Client) -> None:
        client.send((HEALTH + "\r\n") * 3, HEALTH, "X-Large: ", "x" * LARGEST_HEAD, "\r\n\r\n")
        assert [client.answer()[0] for _ in range(3)] == [200] * 3
        assert client.file.readline() in (b"", b"HTTP/1.1 431 Request Header Fields Too Large\r\n")

    def test_of_many_requests_at_once_is_none(self, client: Client) -> None:
        ask = HEALTH + "X-Some: " + "x" * 1000 + "\r\n\r\n"
        client.send(ask * 200, ask[:100])
        assert [client.answer()[0] for _ in range(200)] == [200] * 200
        assert client.send(ask[100:]).answer()[0] == 200


class TestWhatFollowsABody:
    def test_is_no_header(self, client: Client) -> None:
        body = '{"name": "trailing"}'
        chunk = f"{len(body):x}\r\n{body}\r\n0\r\n"
        client.send(CREATE, "Transfer-Encoding: chunked\r\n\r\n", chunk, "Host: evil.example.org\r\n\r\n")
        assert client.answer()[0] == 200

    def test_may_not_be_endless(self, serving: Serving, client: Client) -> None:
        client.send(CREATE, "Transfer-Encoding: chunked\r\n\r\n", "2\r\n{}\r\n0\r\n", "X-More: x\r\n" * 100_000)
        assert client.answer()[0] == 431
        assert is_well(serving)


@pytest.mark.usefixtures("impatient")
class TestABody:
    def test_that_does_not_come_is_not_waited_for(self, serving: Serving, client: Client) -> None:
        client.send(CREATE, 'Content-Length: 100\r\n\r\n{"name"')
        status, headers, found = client.answer()
        assert (status, headers["connection"], found["error_code"]) == (408, "close", "DEADLINE_EXCEEDED")
        assert client.is_over()
        assert is_well(serving)

    def test_that_nobody_wants_any_more_is_not_waited_for(self, client: Client) -> None:
        client.put("a/", 3 * MB, 10)
        assert client.answer()[0] == 400
        assert client.is_over()

    def test_may_take_its_time_as_long_as_it_comes(self, serving: Serving, client: Client) -> None:
        name = "slow.bin"
        client.put(name, 30 * patience.LEAST, 0)
        for _ in range(30):
            time.sleep(patience.PERIOD / 10)
            client.send(bytes(patience.LEAST))
        assert client.answer()[0] == 200
        assert (serving.kept / name).stat().st_size == 30 * patience.LEAST


class TestAnAnswer:
    @pytest.mark.parametrize("size", [MB, 32 * MB], ids=["whole", "in pieces"])
    def test_that_nobody_takes_is_given_up(
        self, impatient: None, serving: Serving, monkeypatch: pytest.MonkeyPatch, size: int
    ) -> None:
        del impatient
        monkeypatch.setattr(patience, "TAKING", patience.PERIOD)
        (serving.kept / "a.bin").write_bytes(os.urandom(size))
        with Client(serving.address, buffer=4096) as client:
            client.send(f"GET {PROXY}/a.bin HTTP/1.1\r\nHost: localhost\r\n\r\n" * (1 if size > MB else 8))
            eventually(lambda: serving.connections == 1)
            eventually(lambda: serving.connections == 0)
        assert is_well(serving)

    def test_that_is_taken_slowly_comes_to_its_end(
        self, impatient: None, serving: Serving, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        del impatient
        monkeypatch.setattr(patience, "TAKING", patience.PERIOD)
        data = os.urandom(16 * MB)
        (serving.kept / "a.bin").write_bytes(data)
        with Client(serving.address) as client:
            client.send(f"GET {PROXY}/a.bin HTTP/1.1\r\nHost: localhost\r\n\r\n")
            begin, found = time.monotonic(), b""
            while not found.endswith(data):
                time.sleep(patience.PERIOD / 50)
                more = client.socket.recv(MB // 8)
                assert more, "it was cut off"
                found += more
        assert time.monotonic() - begin > 2 * patience.PERIOD
