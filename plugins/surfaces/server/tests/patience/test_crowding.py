"""More clients than a server has room for, and those that it leaves behind when it ends."""

from __future__ import annotations

import asyncio
import gc
import sqlite3
import subprocess
import sys
import threading
from typing import TYPE_CHECKING, Any

import pytest

from dovetail_server import application, protocol, site, uploading
from dovetail_server.rehearsal import CREATE, HEALTH, PROXY, Client, Serving, eventually, is_well
from dovetail_server.testing import Server

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

MB = 1 << 20


class TestAnUpload:
    @pytest.fixture
    def few(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """The server has two threads for large uploads."""
        monkeypatch.setattr(site, "MOST_UPLOADS", 2)

    @pytest.mark.usefixtures("impatient")
    def test_that_does_not_go_on_ends_and_leaves_nothing(self, serving: Serving, client: Client) -> None:
        client.put("a.bin", 8 * MB, 3 * MB)
        eventually(serving.everything)
        assert client.answer()[0] == 408
        eventually(lambda: not serving.everything())

    @pytest.mark.usefixtures("few", "impatient")
    def test_gets_its_turn_behind_those_that_do_not_go_on(self, serving: Serving) -> None:
        slow = [Client(serving.address).put(f"slow-{number}", 8 * MB, 3 * MB) for number in range(2)]
        try:
            eventually(lambda: len(serving.everything()) == 2)
            with Client(serving.address) as client:
                assert client.put("a.bin", 3 * MB, 3 * MB).answer()[0] == 200
            assert {each.answer()[0] for each in slow} == {408}
        finally:
            for each in slow:
                each.__exit__()
        eventually(lambda: serving.everything() == ["a.bin"])

    @pytest.mark.usefixtures("few")
    def test_that_gets_no_turn_is_told_to_come_again(self, serving: Serving, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(uploading, "WAITING", 0.3)
        others = [Client(serving.address).put(f"other-{number}", 4 * MB, 3 * MB) for number in range(2)]
        try:
            eventually(lambda: len(serving.everything()) == 2)
            with Client(serving.address) as client:
                status, headers, found = client.put("a.bin", 3 * MB, 3 * MB).answer()
                assert (status, found["error_code"]) == (503, "TEMPORARILY_UNAVAILABLE")
                assert int(headers["retry-after"]) > 0
                for each in others:
                    assert each.send(bytes(MB)).answer()[0] == 200
                assert client.put("a.bin", 3 * MB, 3 * MB).answer()[0] == 200
        finally:
            for each in others:
                each.__exit__()
        assert serving.everything() == ["a.bin", "other-0", "other-1"]


class TestMoreConnectionsThanThereIsRoomFor:
    def test_are_told_to_come_again(self, serving: Serving, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(protocol, "room", lambda: (2, 3))
        clients = [Client(serving.address) for _ in range(2)]
        for each in clients:
            assert each.send(HEALTH, "\r\n").answer()[0] == 200
        with Client(serving.address) as third:
            eventually(lambda: serving.connections == 3)
            with Client(serving.address) as fourth:
                assert fourth.is_over(), "there is no room for an answer, either"
            status, headers, found = third.send(CREATE, 'Content-Length: 13\r\n\r\n{"name": "a"}').answer()
            assert (status, found["error_code"]) == (503, "TEMPORARILY_UNAVAILABLE")
            assert int(headers["retry-after"]) > 0
            assert third.is_over()
            with Client(serving.address) as large:
                eventually(lambda: serving.connections == 3)
                status, headers, _ = large.put("a.bin", 16 * MB, 16 * MB).answer()
                assert (status, headers["connection"]) == (503, "close"), "it has sent all of it before it looks"
                assert large.is_over()
        assert clients[0].send(HEALTH, "\r\n").answer()[0] == 200, "those who came before are served"
        clients[1].__exit__()
        eventually(lambda: serving.connections == 1)
        assert is_well(serving)
        clients[0].__exit__()


@pytest.mark.skipif(sys.platform == "win32", reason="files are not counted there")
class TestBodies:
    def test_that_would_take_too_much_memory_together_are_told_to_come_again(
        self, serving: Serving, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(application, "MOST_COMING", MB)
        whole = '{"name":"' + "a" * 100 + '"}'
        with Client(serving.address) as slow, Client(serving.address) as other:
            slow.send(CREATE, f"Content-Length: {MB}\r\n\r\n", bytes(MB - 50_000))
            eventually(lambda: serving.coming == MB - 50_000)
            status, headers, _ = other.send(CREATE, f"Content-Length: {MB}\r\n\r\n", bytes(MB - 1)).answer()
            assert (status, headers["retry-after"]) == (503, "5")
        eventually(lambda: serving.connections == 0)
        with Client(serving.address) as client:
            assert client.send(CREATE, f"Content-Length: {len(whole)}\r\n\r\n{whole}").answer()[0] == 200


class TestTheRoomOfAProcess:
    @staticmethod
    def of(files: int) -> tuple[int, int]:
        code = (
            f"import resource; resource.setrlimit(resource.RLIMIT_NOFILE, ({files // 2}, {files}));"
            "from dovetail_server.crowding import room; print(*room());"
            f"assert resource.getrlimit(resource.RLIMIT_NOFILE) == ({files}, {files})"
        )
        said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
        served, most = map(int, said.stdout.split())
        return served, most

    @pytest.mark.parametrize("files", [64, 128, 256, 1024])
    def test_leaves_files_for_its_work(self, files: int) -> None:
        """Sixteen threads that ask stores and sixteen that upload may open three each; so may each connection's."""
        served, most = self.of(files)
        assert files // 8 <= served < most
        busy = min(served, 2 * 16)
        assert most + served + 3 * busy < files, "each may have a file of its own"

    def test_is_not_taken_by_a_crowd(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """A server that may open 128 files is well among 200 clients, and behind them."""
        python = tmp_path / "python"
        python.write_text(f'#!/bin/sh\nulimit -n 128\nexec {sys.executable} "$@"\n')
        python.chmod(0o700)
        monkeypatch.setattr(sys, "executable", str(python))
        with Server(tmp_path) as server:
            host, port = server.url.removeprefix("http://").split(":")
            server.new_run()
            crowd = [Client((host, int(port))) for _ in range(200)]
            try:
                assert crowd[0].send(HEALTH, "\r\n").answer()[0] == 200
                refused = [each for each in crowd[1:] if is_refused(each)]
                assert 100 < len(refused) < 200
            finally:
                for each in crowd:
                    each.__exit__()
            eventually(lambda: server.ask("GET", "/health")[0] == 200)
            server.new_run()
            assert "Too many open files" not in server.errors()
            assert "Traceback" not in server.errors()


def is_refused(client: Client) -> bool:
    """Whether a connection is told to come again, or ends."""
    try:
        return client.send(HEALTH, "\r\n").answer()[0] == 503
    except (AssertionError, OSError):
        return True


class TestTheEndOfAServer:
    def test_is_told_to_those_who_keep_it_waiting(
        self, tmp_path: Path, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
    ) -> None:
        with Serving(tmp_path, grace=3) as serving:
            (serving.kept / "large.bin").write_bytes(bytes(32 * MB))
            uploads = [Client(serving.address).put(f"a-{number}", 8 * MB, 3 * MB) for number in range(2)]
            creating = Client(serving.address).send(CREATE, "Content-Length: 100\r\n\r\n{")
            loading = Client(serving.address, buffer=4096)
            loading.send(f"GET {PROXY}/large.bin HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert loading.file.readline() == b"HTTP/1.1 200 OK\r\n"
            eventually(lambda: len(serving.everything()) == 3)
            serving.end()
            for each in (*uploads, creating):
                status, headers, _ = each.answer()
                assert (status, headers["retry-after"]) == (503, "1")
            assert serving.everything() == ["large.bin"]
            for each in (*uploads, creating, loading):
                each.__exit__()
        gc.collect()
        said = capfd.readouterr().err + caplog.text
        assert "Traceback" not in said
        assert "never retrieved" not in said
        assert "Cancel" not in said

    def test_is_told_to_those_who_wait_for_a_store_that_somebody_else_holds(
        self, tmp_path: Path, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
    ) -> None:
        with Serving(tmp_path, grace=2) as serving, Client(serving.address) as client:
            assert client.send(CREATE, 'Content-Length: 12\r\n\r\n{"name":"a"}').answer()[0] == 200
            other = sqlite3.connect(tmp_path / "served.db", isolation_level=None, check_same_thread=False)
            other.execute("BEGIN EXCLUSIVE")
            client.send(CREATE, 'Content-Length: 12\r\n\r\n{"name":"b"}')
            threading.Timer(4, other.close).start()
            serving.end()
            status, headers, _ = client.answer()
        assert (status, headers["retry-after"]) == (503, "1")
        assert "Traceback" not in capfd.readouterr().err + caplog.text

    def test_ends_a_download_that_goes_on(self, opened: Callable[..., Any], tmp_path: Path) -> None:
        """What is read of the file when there are no threads any more is no error of the server's."""
        (tmp_path / "kept").mkdir()
        (tmp_path / "kept" / "a").write_bytes(bytes(8 * MB))
        ask, sent = opened(artifact_root=(tmp_path / "kept").as_uri()), []
        headers = [(b"host", b"localhost")]
        scope = {"type": "http", "method": "GET", "path": f"{PROXY}/a", "query_string": b"", "headers": headers}

        async def receive() -> Any:
            return await asyncio.Event().wait()

        async def send(message: Any) -> None:
            sent.append(message)
            ask.application._pool.shutdown()

        asyncio.run(asyncio.wait_for(ask.application(scope, receive, send), 60))
        assert sent[0]["status"] == 200
        assert all(each["more_body"] for each in sent[1:]), "it never says that this is the end"
        refused = ask("GET", f"{PROXY}/a")
        assert (refused.status, refused.headers["retry-after"]) == (503, "1")

    def test_gives_up_an_upload_without_a_word_in_the_log(self, opened: Callable[..., Any], tmp_path: Path) -> None:
        root, told = tmp_path / "kept", list[Any]()
        ask, said = opened(artifact_root=root.as_uri()), []
        headers = [(b"host", b"localhost"), (b"content-length", str(8 * MB).encode())]
        scope = {"type": "http", "method": "PUT", "path": f"{PROXY}/a", "query_string": b"", "headers": headers}
        given = [{"type": "http.request", "body": bytes(MB), "more_body": True}] * 3

        async def receive() -> Any:
            return given.pop() if given else await asyncio.Event().wait()

        async def send(message: Any) -> None:
            told.append(message)

        async def cancelled() -> None:
            asyncio.get_running_loop().set_exception_handler(lambda _, context: said.append(context))
            task = asyncio.ensure_future(ask.application(scope, receive, send))
            await asyncio.to_thread(eventually, lambda: any(root.glob("*")))
            task.cancel()
            await asyncio.wait({task})
            await asyncio.to_thread(eventually, lambda: not any(root.glob("*")))
            ask.site.writers.shutdown()
            gc.collect()

        asyncio.run(asyncio.wait_for(cancelled(), 60))
        gc.collect()
        assert said == []
        assert told[0]["status"] == 503
