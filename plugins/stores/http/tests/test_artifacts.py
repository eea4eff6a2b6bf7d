"""Artifacts behind a server: large files, connections that break, and which server is meant."""

from __future__ import annotations

import hashlib
import io
import os
import shutil
import socket
import threading
import time
import zipfile
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

import dovetail
from dovetail.errors import InvalidUri, NotFound, StoreError, StoreUnavailable
from dovetail.testing.artifact_corpus import fill, read
from dovetail.testing.streams import BrokenOffError, breaking_off, digest_of, generated
from dovetail.tracking import places
from dovetail_fsspec.local import LocalArtifactStore
from dovetail_http import downloading
from dovetail_http.artifact_places import place_of
from dovetail_http.artifacts import MlflowArtifacts

if TYPE_CHECKING:
    from collections.abc import Iterator

CONTENT = os.urandom(10 << 20)
RUN = "0/run/artifacts"


class Relay:
    """A stand-in for a bad network: passes everything on, and cuts connections as it is told to.

    Args:
        uri: Where the server is.
    """

    def __init__(self, uri: str) -> None:
        parts = urlsplit(uri)
        self._target = (parts.hostname or "", parts.port or 0)
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.uri = f"http://127.0.0.1:{self._socket.getsockname()[1]}{parts.path}"
        self.cuts: list[tuple[int, int]] = []
        """For each of the next connections, after how many bytes up and down it is cut."""
        self.cut = 0
        self.most_at_once = self._now = 0
        self._open: list[socket.socket] = []
        self._lock = threading.Lock()
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Break all connections, and take no more."""
        with suppress(OSError):  # wakes up who accepts
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        for each in self._open:
            _break(each)

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client = self._socket.accept()[0]
                server = socket.create_connection(self._target)
                self._open += [client, server]
                up, down = self.cuts.pop(0) if self.cuts else (1 << 60, 1 << 60)
                threading.Thread(target=self._pass, args=(client, server, up, False), daemon=True).start()
                threading.Thread(target=self._pass, args=(server, client, down, True), daemon=True).start()

    def _pass(self, source: socket.socket, target: socket.socket, left: int, down: bool) -> None:
        self._count(down)
        with suppress(OSError):
            while left > 0 and (data := source.recv(min(65536, left))):
                target.sendall(data)
                left -= len(data)
        self.cut += not left
        self._count(-down)
        _break(source)
        _break(target)

    def _count(self, change: int) -> None:
        with self._lock:
            self._now += change
            self.most_at_once = max(self.most_at_once, self._now)


def _break(each: socket.socket) -> None:
    with suppress(OSError):
        each.shutdown(socket.SHUT_RDWR)
    each.close()


NEVER = 1 << 60


@pytest.fixture
def relay(uri: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Relay]:
    """The tracking URI in force is that of a server behind a network."""
    monkeypatch.setenv("DOVETAIL_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("DOVETAIL_HTTP_RETRY_SECONDS", "2")
    relay = Relay(uri)
    places.set_tracking_uri(relay.uri)
    yield relay
    places.forget_places()
    relay.close()


@pytest.fixture
def store(relay: Relay) -> MlflowArtifacts:
    return MlflowArtifacts(f"mlflow-artifacts:/{RUN}")


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    """Where the server keeps the run's artifacts."""
    return tmp_path / "dovetail-artifacts" / RUN


@pytest.fixture
def uploads(tmp_path: Path) -> Path:
    """Where the server keeps parts."""
    return tmp_path / "state" / "uploads"


@pytest.fixture
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files of a few megabytes count as large."""
    monkeypatch.setattr(downloading, "LARGE", 2 << 20)
    monkeypatch.setattr(downloading, "PART", 512 << 10)


def parts_left(uploads: Path) -> list[str]:
    return [each.name for each in uploads.rglob("*") if each.name.isdecimal()] if uploads.exists() else []


class TestADownload:
    def test_goes_on_where_the_connection_broke(self, store: MlflowArtifacts, relay: Relay, kept: Path) -> None:
        fill(LocalArtifactStore(str(kept)), {"a.bin": CONTENT})
        relay.cuts = [(NEVER, 3_000_000), (NEVER, 1), (NEVER, 4_000_000)]
        assert read(store, "a.bin") == CONTENT
        assert relay.cut == 3

    def test_of_a_file_that_was_replaced_meanwhile_fails(
        self, store: MlflowArtifacts, relay: Relay, kept: Path
    ) -> None:
        """It is never a mixture of both."""
        fill(LocalArtifactStore(str(kept)), {"a.bin": CONTENT})
        relay.cuts = [(NEVER, 3_000_000)]
        with store.open("a.bin") as stream:
            assert stream.read(1000) == CONTENT[:1000]
            fill(LocalArtifactStore(str(kept)), {"a.bin": CONTENT[::-1]})
            with pytest.raises(StoreUnavailable, match="was replaced"):
                stream.read()

    def test_is_given_up_when_every_connection_breaks(self, store: MlflowArtifacts, relay: Relay, kept: Path) -> None:
        fill(LocalArtifactStore(str(kept)), {"a.bin": CONTENT})
        relay.cuts = [(NEVER, 1_000_000)] + [(NEVER, 100)] * 50
        with store.open("a.bin") as stream, pytest.raises(StoreUnavailable):
            stream.read()

    def test_is_not_taken_for_whole_when_the_connection_breaks_at_once(
        self, store: MlflowArtifacts, relay: Relay, kept: Path
    ) -> None:
        """Also in the midst of the headers, after which Python's own client takes the rest for empty."""
        fill(LocalArtifactStore(str(kept)), {"a.txt": b"hello"})
        for size in (*range(1, 700, 23), 10_000):
            relay.cuts = [(NEVER, size)]
            store._transport.close()
            assert read(store, "a.txt") == b"hello"
            relay.cuts = [(NEVER, size)]
            store._transport.close()
            with suppress(StoreUnavailable):
                assert [each.path for each in store.list()] == ["a.txt"]

    def test_fails_when_the_server_is_gone(self, store: MlflowArtifacts, relay: Relay, kept: Path) -> None:
        fill(LocalArtifactStore(str(kept)), {"a.bin": CONTENT})
        with store.open("a.bin") as stream:
            stream.read(1000)
            relay.close()
            with pytest.raises(StoreUnavailable):
                stream.read()

    def test_needs_no_more_than_is_read(self, store: MlflowArtifacts, kept: Path) -> None:
        fill(LocalArtifactStore(str(kept)), {"a.bin": CONTENT})
        with store.open("a.bin") as stream:
            assert stream.read(100) == CONTENT[:100]
        assert read(store, "a.bin") == CONTENT, "what was not read is not taken for the next answer"

    def test_can_seek(self, store: MlflowArtifacts, kept: Path) -> None:
        with io.BytesIO() as packed:
            with zipfile.ZipFile(packed, "w") as archive:
                archive.writestr("first", CONTENT[:1_000_000])
                archive.writestr("second", b"found")
            fill(LocalArtifactStore(str(kept)), {"a.zip": packed.getvalue()})
        with store.open("a.zip") as stream, zipfile.ZipFile(stream) as archive:
            assert archive.read("second") == b"found"
            assert archive.read("first") == CONTENT[:1_000_000]

    def test_seeks_as_files_do(self, store: MlflowArtifacts, kept: Path) -> None:
        fill(LocalArtifactStore(str(kept)), {"a": b"0123456789"})
        with store.open("a") as stream:
            assert stream.seekable()
            assert (stream.seek(-2, io.SEEK_END), stream.read()) == (8, b"89")
            assert (stream.seek(2), stream.read(3), stream.tell()) == (2, b"234", 5)
            assert (stream.seek(1, io.SEEK_CUR), stream.read(1)) == (6, b"6")
            assert (stream.seek(100), stream.read()) == (100, b"")


@pytest.mark.usefixtures("small_parts")
class TestALargeDownload:
    def test_comes_over_several_connections(self, store: MlflowArtifacts, relay: Relay, kept: Path) -> None:
        fill(LocalArtifactStore(str(kept)), {"a.bin": CONTENT})
        assert read(store, "a.bin") == CONTENT
        assert relay.most_at_once > 2

    def test_fetches_again_what_gets_lost(self, store: MlflowArtifacts, relay: Relay, kept: Path) -> None:
        fill(LocalArtifactStore(str(kept)), {"a.bin": CONTENT})
        relay.cuts = [(NEVER, size) for size in (1_500_000, 300_000, 100, 400_000, 700_000, 1)]
        assert read(store, "a.bin") == CONTENT
        assert relay.cut >= 4

    def test_ends_when_it_is_closed(self, store: MlflowArtifacts, kept: Path) -> None:
        fill(LocalArtifactStore(str(kept)), {"a.bin": CONTENT})
        with store.open("a.bin") as stream:
            assert stream.read(3 << 20)
        assert not [each for each in threading.enumerate() if each.name.startswith("dovetail-download")]

    def test_of_a_file_that_was_replaced_meanwhile_fails(self, store: MlflowArtifacts, kept: Path) -> None:
        fill(LocalArtifactStore(str(kept)), {"a.bin": CONTENT})
        with store.open("a.bin") as stream:
            assert stream.read(100_000) == CONTENT[:100_000]
            fill(LocalArtifactStore(str(kept)), {"a.bin": CONTENT[::-1]})
            with pytest.raises(StoreUnavailable, match="was replaced"):
                stream.read()

    def test_goes_into_a_folder_with_all_others(self, store: MlflowArtifacts, kept: Path, tmp_path: Path) -> None:
        contents = {f"m/{number}.bin": CONTENT[number:] for number in range(4)}
        fill(LocalArtifactStore(str(kept)), contents)
        from dovetail.artifacts import transfer

        folder = transfer.download(store, "m", tmp_path / "here")
        assert {f"m/{path.name}": path.read_bytes() for path in folder.iterdir()} == contents


class TestAnUpload:
    def test_of_a_large_file_goes_in_parts(self, store: MlflowArtifacts, kept: Path, uploads: Path) -> None:
        size = (40 << 20) + 17
        store.put("d/a.bin", generated(size))
        with (kept / "d" / "a.bin").open("rb") as file:
            assert digest_of(file) == digest_of(generated(size))
        assert len(list(uploads.iterdir())) == 1
        assert parts_left(uploads) == []

    @pytest.mark.parametrize("size", [(4 << 20) - 1, 4 << 20, (4 << 20) + 1, 8 << 20])
    def test_of_any_size_arrives_whole(self, store: MlflowArtifacts, kept: Path, size: int) -> None:
        store.put("a.bin", io.BytesIO(CONTENT[:size]))
        assert (kept / "a.bin").read_bytes() == CONTENT[:size]

    def test_sends_again_what_gets_lost(self, store: MlflowArtifacts, relay: Relay, kept: Path) -> None:
        store.put("first", io.BytesIO(b"x"))  # with this connection nothing goes wrong
        relay.cuts = [(size, NEVER) for size in (3_000_000, 100, 1_000_000, 4_000_000)]
        store.put("a.bin", io.BytesIO(CONTENT))
        assert (kept / "a.bin").read_bytes() == CONTENT
        assert relay.cut

    def test_is_sent_again_whose_answer_gets_lost(self, store: MlflowArtifacts, relay: Relay, kept: Path) -> None:
        relay.cuts = [(NEVER, 1), (NEVER, 1)]
        store.put("a.txt", io.BytesIO(b"hello"))
        assert (kept / "a.txt").read_bytes() == b"hello"
        assert relay.cut == 2

    def test_that_breaks_off_leaves_no_parts(self, store: MlflowArtifacts, kept: Path, uploads: Path) -> None:
        with pytest.raises(BrokenOffError):
            store.put("a.bin", breaking_off(CONTENT))
        assert list(uploads.iterdir()) == []
        assert not kept.exists()

    def test_fails_when_the_server_is_gone(self, store: MlflowArtifacts, relay: Relay, kept: Path) -> None:
        def pieces() -> Iterator[bytes]:
            yield CONTENT
            relay.close()
            yield CONTENT

        from dovetail.testing.streams import from_pieces

        with pytest.raises(StoreUnavailable):
            store.put("a.bin", from_pieces(pieces()))
        assert not kept.exists()

    def test_waits_for_a_server_that_takes_long_to_put_parts_together(
        self, store: MlflowArtifacts, kept: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        real = LocalArtifactStore.put

        def slow(local: LocalArtifactStore, path: str, stream: Any) -> None:
            time.sleep(3)
            real(local, path, stream)

        fill(store, {"first": b"x"})
        monkeypatch.setattr(LocalArtifactStore, "put", slow)
        monkeypatch.setenv("DOVETAIL_HTTP_REQUEST_TIMEOUT", "1")
        monkeypatch.setenv("DOVETAIL_HTTP_RETRY_SECONDS", "0")
        store.put("a.bin", io.BytesIO(CONTENT))
        assert (kept / "a.bin").read_bytes() == CONTENT


class TestTheUri:
    def test_without_a_host_means_the_server_that_tracks(self, relay: Relay) -> None:
        remote, path = place_of("mlflow-artifacts:/0/run/artifacts")
        assert (remote.transport.address.base, path) == (relay.uri, "0/run/artifacts")

    def test_without_a_host_needs_a_server_that_tracks(self, tmp_path: Path) -> None:
        places.set_tracking_uri(f"sqlite:///{tmp_path}/a.db")
        try:
            with pytest.raises(InvalidUri, match="is at the server that tracks"):
                MlflowArtifacts("mlflow-artifacts:/0/run")
        finally:
            places.forget_places()

    @pytest.mark.parametrize("path", ["../x", "0/%2e%2e/x", "0/..", "a\\b"])
    def test_leads_nowhere_else(self, relay: Relay, path: str) -> None:
        with pytest.raises(InvalidUri):
            MlflowArtifacts(f"mlflow-artifacts:/{path}")

    def test_with_a_host_means_that_one(self, relay: Relay, kept: Path) -> None:
        """Below whose own root, as with MLflow: a path that comes before everything cannot be said."""
        host = urlsplit(relay.uri).netloc
        remote, path = place_of(f"mlflow-artifacts://{host}/0/run")
        assert (remote.transport.address.base, path) == (f"http://{host}", "0/run")

    def test_tells_passwords_only_to_the_server_that_they_are_for(
        self, relay: Relay, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("DOVETAIL_TRACKING_TOKEN", "secret")

        def told(uri: str) -> str | None:
            return place_of(uri)[0].transport.address.authorization()

        assert told("mlflow-artifacts:/0") == "Bearer secret"
        assert told("mlflow-artifacts://127.0.0.1:9/0") == "Bearer secret"
        assert told("mlflow-artifacts://elsewhere.example/0") is None
        assert told("mlflow-artifacts://user:own@elsewhere.example/0") == "Basic dXNlcjpvd24="

    def test_keeps_connections_for_all_runs(self, relay: Relay) -> None:
        first, second = (MlflowArtifacts(f"mlflow-artifacts:/0/{name}/artifacts") for name in ("a", "b"))
        assert first._transport is second._transport


class TestAScript:
    def test_logs_files_to_a_server_and_fetches_them(self, relay: Relay, tmp_path: Path) -> None:
        (tmp_path / "model").mkdir()
        (tmp_path / "model" / "w.bin").write_bytes(CONTENT)
        (tmp_path / "model" / "notes #1.txt").write_text("hello")
        with dovetail.start_run() as run:
            dovetail.log_artifacts(str(tmp_path / "model"), "m")
            dovetail.log_text("hello", "t.txt")
        assert run.info.artifact_uri.startswith("mlflow-artifacts:/")
        run_id = run.info.run_id
        found = dovetail.artifacts.download_artifacts(f"runs:/{run_id}/m", dst_path=str(tmp_path / "here"))
        assert hashlib.sha256((Path(found) / "w.bin").read_bytes()).digest() == hashlib.sha256(CONTENT).digest()
        assert (Path(found) / "notes #1.txt").read_text() == "hello"
        assert dovetail.artifacts.load_text(f"runs:/{run_id}/t.txt") == "hello"
        listed = dovetail.artifacts.list_artifacts(f"runs:/{run_id}")
        assert [each.path for each in listed] == ["m", "t.txt"]

    def test_hears_what_is_wrong_in_dovetails_words(self, store: MlflowArtifacts, kept: Path) -> None:
        with pytest.raises(NotFound, match="There is no artifact '0/run/artifacts/missing' in this server"):
            store.open("missing")
        kept.parent.mkdir(parents=True)
        kept.write_text("a file in the place of the folder")
        with pytest.raises((StoreError, dovetail.errors.InvalidInput)):
            store.put("a", io.BytesIO(b"x"))
        shutil.rmtree(kept.parent)
