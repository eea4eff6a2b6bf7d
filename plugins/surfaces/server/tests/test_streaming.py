"""Large files, slow clients and broken connections, over real sockets to a process of its own."""

from __future__ import annotations

import asyncio
import hashlib
import os
import socket
import sys
import threading
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

from dovetail_server import downloads, pipe
from dovetail_server.testing import Server

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PROXY = "/api/2.0/mlflow-artifacts/artifacts"
LARGE = 256 << 20
BLOCK = os.urandom(1 << 20)
MOST_MEMORY = 150 << 20


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with Server(tmp_path_factory.mktemp("server"), "--artifacts-destination", "kept") as server:
        yield server


@pytest.fixture
def kept(server: Server) -> Path:
    """Where its artifacts lie."""
    return server._said.parent / "kept"


class Connection:
    """A connection on which requests are written by hand."""

    def __init__(self, server: Server) -> None:
        parts = urlsplit(server.url)
        self.socket = socket.create_connection((parts.hostname or "", parts.port or 0), timeout=60)
        self._rest = b""

    def send(self, text: str, body: bytes = b"") -> None:
        self.socket.sendall(text.replace("\n", "\r\n").encode() + body)

    def put(self, path: str, size: int, *more: str) -> None:
        """Begin an upload."""
        headers = "".join(f"{each}\n" for each in more)
        self.send(f"PUT {PROXY}/{path} HTTP/1.1\nHost: localhost\nContent-Length: {size}\n{headers}\n")

    def get(self, path: str) -> None:
        """Begin a download."""
        self.send(f"GET {PROXY}/{path} HTTP/1.1\nHost: localhost\n\n")

    def head(self) -> tuple[int, dict[str, str]]:
        """Status and headers of the next answer."""
        while b"\r\n\r\n" not in self._rest:
            data = self.socket.recv(65536)
            assert data, "the server has closed the connection"
            self._rest += data
        head, _, self._rest = self._rest.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        pairs = (line.partition(": ") for line in lines)
        return int(first.split()[1]), {name.lower(): value for name, _, value in pairs}

    def body(self, size: int) -> bytes:
        while len(self._rest) < size and (data := self.socket.recv(1 << 20)):
            self._rest += data
        found, self._rest = self._rest[:size], self._rest[size:]
        return found

    def digest(self, size: int) -> str:
        """The SHA-256 of a large body."""
        digest, left = hashlib.sha256(self._rest), size - len(self._rest)
        self._rest = b""
        while left and (data := self.socket.recv(min(left, 1 << 20))):
            digest.update(data)
            left -= len(data)
        assert not left, f"{left} bytes are missing"
        return digest.hexdigest()


@contextmanager
def connected(server: Server) -> Iterator[Connection]:
    connection = Connection(server)
    try:
        yield connection
    finally:
        connection.socket.close()


def everything(kept: Path) -> list[str]:
    """What is really on disk, hidden or not."""
    return sorted(str(path.relative_to(kept)) for path in kept.rglob("*"))


def eventually(kept: Path, expected: list[str]) -> None:
    for _ in range(100):
        if everything(kept) == expected:
            return
        time.sleep(0.1)
    assert everything(kept) == expected


def most_memory(server: Server) -> int:
    """The most memory that the server has ever had."""
    lines = Path(f"/proc/{server.process.pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) << 10 for line in lines if line.startswith("VmHWM"))


@pytest.mark.timeout(300)
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads what Linux tells about a process")
class TestALargeFile:
    def test_goes_up_and_down_with_little_memory(self, server: Server) -> None:
        expected = hashlib.sha256(BLOCK * (LARGE >> 20)).hexdigest()
        with connected(server) as client:
            client.put("large/a.bin", LARGE)
            for _ in range(LARGE >> 20):
                client.socket.sendall(BLOCK)
            assert client.head()[0] == 200
            client.body(2)
            client.get("large/a.bin")
            status, headers = client.head()
            assert (status, headers["content-length"]) == (200, str(LARGE))
            assert client.digest(LARGE) == expected
        assert most_memory(server) <= MOST_MEMORY
        assert server.ask("DELETE", f"{PROXY}/large")[0] == 200

    def test_goes_up_in_chunks_of_unknown_number(self, server: Server) -> None:
        with connected(server) as client:
            client.send(f"PUT {PROXY}/chunks/a.bin HTTP/1.1\nHost: localhost\nTransfer-Encoding: chunked\n\n")
            for _ in range(20):
                client.send(f"{len(BLOCK):x}\n", BLOCK + b"\r\n")
            client.send("0\n\n")
            assert client.head()[0] == 200
            client.body(2)
            client.get("chunks/a.bin")
            client.head()
            assert client.digest(20 << 20) == hashlib.sha256(BLOCK * 20).hexdigest()
        server.ask("DELETE", f"{PROXY}/chunks")

    def test_does_not_wait_behind_slow_ones(self, server: Server) -> None:
        """More clients than the server has threads begin to send, and then take their time."""
        slow = [Connection(server) for _ in range(40)]
        try:
            for number, each in enumerate(slow):
                each.put(f"slow/{number}", 8 << 20)
                each.socket.sendall(BLOCK * 2)
            begin = time.monotonic()
            with connected(server) as client:
                client.put("quick/a", len(BLOCK))
                client.socket.sendall(BLOCK)
                assert client.head()[0] == 200
                client.body(2)
                client.get("quick/a")
                client.head()
                assert client.body(len(BLOCK)) == BLOCK
            assert server.ask("GET", f"{PROXY}?path=quick")[0] == 200
            assert time.monotonic() - begin < 10
            for each in slow:
                each.socket.sendall(BLOCK * 6)
            assert {each.head()[0] for each in slow} == {200}
        finally:
            for each in slow:
                each.socket.close()
            server.ask("DELETE", f"{PROXY}/slow")
            server.ask("DELETE", f"{PROXY}/quick")


class TestAClientThatGoes:
    @pytest.mark.parametrize("sent", [0, 10, 3 << 20], ids=["at once", "soon", "after 3 MiB"])
    def test_in_the_midst_of_an_upload_leaves_nothing(self, server: Server, kept: Path, sent: int) -> None:
        before = everything(kept)
        with connected(server) as client:
            client.put("gone/a.bin", 8 << 20)
            client.socket.sendall(bytes(sent))
        eventually(kept, before)
        assert server.ask("GET", f"{PROXY}?path=gone") == (200, {})

    def test_in_the_midst_of_an_upload_leaves_the_former_file(self, server: Server, kept: Path) -> None:
        with connected(server) as client:
            client.put("kept/a.bin", 6)
            client.socket.sendall(b"former")
            assert client.head()[0] == 200
        before = everything(kept)
        with connected(server) as client:
            client.put("kept/a.bin", 8 << 20)
            client.socket.sendall(bytes(3 << 20))
        eventually(kept, before)
        assert (kept / "kept" / "a.bin").read_bytes() == b"former"
        server.ask("DELETE", f"{PROXY}/kept")

    def test_in_the_midst_of_a_download_lets_go_of_the_file(self, server: Server, kept: Path) -> None:
        (kept / "down").mkdir(parents=True)
        (kept / "down" / "a.bin").write_bytes(BLOCK * 64)
        for _ in range(3):
            with connected(server) as client:
                client.get("down/a.bin")
                client.head()
                client.body(100_000)
        descriptors = Path(f"/proc/{server.process.pid}/fd")
        for _ in range(100):
            if not any(str(each.readlink()).endswith("a.bin") for each in descriptors.iterdir() if each.is_symlink()):
                break
            time.sleep(0.1)
        else:
            pytest.fail("the file is still open")
        server.ask("DELETE", f"{PROXY}/down")
        assert "Traceback" not in server.errors()

    def test_may_take_its_time_for_a_download(self, server: Server, kept: Path) -> None:
        """It gets the file that was there when it began, to its end, whatever becomes of that meanwhile."""
        (kept / "down").mkdir(parents=True)
        (kept / "down" / "a.bin").write_bytes(BLOCK * 32)
        with connected(server) as client:
            client.get("down/a.bin")
            client.head()
            begin = client.body(100_000)
            time.sleep(0.5)
            with connected(server) as other:
                other.put("down/a.bin", 3)
                other.socket.sendall(b"new")
                assert other.head()[0] == 200
            rest = client.body((32 << 20) - 100_000)
        assert begin + rest == BLOCK * 32
        assert (kept / "down" / "a.bin").read_bytes() == b"new"
        server.ask("DELETE", f"{PROXY}/down")


class TestABody:
    def test_is_not_asked_for_where_it_is_refused_anyway(self, server: Server) -> None:
        with connected(server) as client:
            client.put("a/%2e%2e/b", 1 << 30, "Expect: 100-continue")
            assert client.head()[0] == 400

    def test_is_asked_for_where_the_client_waits_for_that(self, server: Server) -> None:
        with connected(server) as client:
            client.put("expected/a", 5, "Expect: 100-continue")
            assert client.head()[0] == 100
            client.socket.sendall(b"hello")
            assert client.head()[0] == 200
            client.body(2)
            client.get("expected/a")
            client.head()
            assert client.body(5) == b"hello"
        server.ask("DELETE", f"{PROXY}/expected")

    def test_that_is_refused_does_not_spoil_what_follows(self, server: Server) -> None:
        with connected(server) as client:
            client.put("a/", 3 << 20)
            client.socket.sendall(BLOCK * 3)
            status, headers = client.head()
            assert status == 400
            client.body(int(headers["content-length"]))
            client.put("after/a", 5)
            client.socket.sendall(b"hello")
            assert client.head()[0] == 200
        server.ask("DELETE", f"{PROXY}/after")

    def test_longer_than_it_says_is_cut_where_it_says(self, server: Server, kept: Path) -> None:
        """What follows is no request, and refused as one; by then the file may be stored, but never more of it."""
        with connected(server) as client:
            client.put("long/a", 5)
            client.socket.sendall(b"hello, and more that is no request")
            assert client.head()[0] in (200, 400)
        eventually(kept, ["long", "long/a"] if (kept / "long").exists() else [])
        assert not (kept / "long" / "a").exists() or (kept / "long" / "a").read_bytes() == b"hello"
        server.ask("DELETE", f"{PROXY}/long")

    def test_that_cannot_be_stored_is_answered_before_its_end(self, server: Server, kept: Path) -> None:
        (kept / "full" / "a").mkdir(parents=True)
        (kept / "full" / "a" / "b").write_bytes(b"x")
        with connected(server) as client:
            client.put("full/a", 64 << 20)
            sending = threading.Thread(target=client.socket.sendall, args=(BLOCK * 64,), daemon=True)
            sending.start()
            assert client.head()[0] == 400
            sending.join(30)
            assert not sending.is_alive()
        server.ask("DELETE", f"{PROXY}/full")


class TestAClientThatDoesNothing:
    """Without a socket between, so that nothing is buffered; and with less patience than the server has."""

    @staticmethod
    def scope(verb: str, path: str) -> dict[str, Any]:
        headers = [(b"host", b"localhost"), (b"content-length", str(8 << 20).encode())]
        return {"type": "http", "method": verb, "path": f"{PROXY}/{path}", "query_string": b"", "headers": headers}

    def test_any_more_in_the_midst_of_an_upload_is_sent_away(
        self, opened: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(pipe, "PATIENCE", 0.3)
        root = tmp_path / "kept"
        ask, sent = opened(artifact_root=root.as_uri()), []
        given = [{"type": "http.request", "body": BLOCK, "more_body": True}] * 3

        async def receive() -> Any:
            return given.pop() if given else await asyncio.Event().wait()

        async def send(message: Any) -> None:
            sent.append(message)

        asyncio.run(ask.application(self.scope("PUT", "a/b"), receive, send))
        assert sent[0]["status"] == 408
        assert list(root.iterdir()) == []

    def test_any_more_in_the_midst_of_a_download_is_given_up(
        self, opened: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(downloads, "PATIENCE", 0.3)
        (tmp_path / "kept").mkdir()
        (tmp_path / "kept" / "a").write_bytes(BLOCK * 3)
        ask, sent = opened(artifact_root=(tmp_path / "kept").as_uri()), []

        async def receive() -> Any:
            return await asyncio.Event().wait()

        async def send(message: Any) -> None:
            sent.append(message)
            if len(sent) > 2:
                await asyncio.Event().wait()

        asyncio.run(asyncio.wait_for(ask.application(self.scope("GET", "a"), receive, send), 10))
        assert [each["type"] for each in sent] == ["http.response.start", *["http.response.body"] * 2]

    def test_is_not_told_that_a_file_is_whole_which_became_shorter(
        self, opened: Callable[..., Any], tmp_path: Path
    ) -> None:
        (tmp_path / "kept").mkdir()
        file = tmp_path / "kept" / "a"
        file.write_bytes(BLOCK * 8)
        ask, sent = opened(artifact_root=(tmp_path / "kept").as_uri()), []

        async def receive() -> Any:
            return await asyncio.Event().wait()

        async def send(message: Any) -> None:
            sent.append(message)
            os.truncate(file, 3 << 20)

        asyncio.run(asyncio.wait_for(ask.application(self.scope("GET", "a"), receive, send), 10))
        assert dict(sent[0]["headers"])[b"content-length"] == str(8 << 20).encode()
        assert all(each["more_body"] for each in sent[1:]), "it never says that this is the end"
        assert sum(len(each["body"]) for each in sent[1:]) == 3 << 20
