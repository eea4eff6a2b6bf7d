"""Moving files and folders to and from a store."""

from __future__ import annotations

import io
import os
import signal
import stat
import subprocess
import sys
import tempfile
import textwrap
import threading
import time
import tracemalloc
from contextlib import suppress
from typing import TYPE_CHECKING, BinaryIO

import pytest

from dovetail.artifacts.transfer import Transferred, download, upload
from dovetail.errors import InvalidInput, InvalidUri, NotFound, StoreError, StoreFull, StoreUnavailable
from dovetail.testing.artifact_corpus import HOSTILE_PATHS, ODD_NAMES, files, fill, read
from dovetail.testing.memory_artifacts import MemoryArtifactStore
from dovetail.testing.streams import generated
from dovetail.values import FileInfo

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

STRAY_PATHS = (*HOSTILE_PATHS, "other/x", "a//b", "a/", "", "a/b/c", "./x")
posix_only = pytest.mark.skipif(sys.platform == "win32", reason="links and signals of POSIX")


class OnThisMachine(MemoryArtifactStore):
    """A store whose files have a local place."""

    def __init__(self, root: Path) -> None:
        super().__init__()
        self.root = root

    def local_path(self, path: str) -> Path | None:
        place = self.root / path
        return place if place.exists() else None


class Discarding(MemoryArtifactStore):
    """Takes files of any size and keeps none."""

    def put(self, path: str, stream: BinaryIO) -> None:
        while stream.read(1 << 20):
            pass

    def list(self, path: str = "") -> Iterator[FileInfo]:
        return iter(() if path else [FileInfo("large", is_dir=False, file_size=64 << 20)])

    def open(self, path: str) -> BinaryIO:
        stream: BinaryIO = generated(64 << 20)
        return stream


class Listing(MemoryArtifactStore):
    """Lists what it is told to, and has content for all of it."""

    def __init__(self, *paths: str, folder: str = "") -> None:
        super().__init__("ftp://me:hunter2@evil/")
        self.paths = paths
        self.folder = folder

    def list(self, path: str = "") -> Iterator[FileInfo]:
        return iter([FileInfo(name, is_dir=False, file_size=1) for name in self.paths if path == self.folder])

    def open(self, path: str) -> BinaryIO:
        return io.BytesIO(b"evil")


class Failing(MemoryArtifactStore):
    """Loses its connection at one file; counts the files it was asked for."""

    def __init__(self, bad: str) -> None:
        super().__init__()
        self.bad = bad
        self.asked: list[str] = []

    def put(self, path: str, stream: BinaryIO) -> None:
        self.asked.append(path)
        if path == self.bad:
            raise StoreUnavailable("The wire is cut.")
        time.sleep(0.005)  # as wires take; otherwise all are through before anybody hears of the failure
        super().put(path, stream)

    def open(self, path: str) -> BinaryIO:
        self.asked.append(path)
        if path == self.bad:
            raise StoreUnavailable("The wire is cut.")
        time.sleep(0.005)
        return super().open(path)


@pytest.fixture
def store() -> MemoryArtifactStore:
    return MemoryArtifactStore()


@pytest.fixture
def local(tmp_path: Path) -> Path:
    folder = tmp_path / "local"
    folder.mkdir()
    return folder


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "target"


def everything(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if not path.is_dir())


class TestUpload:
    def test_of_a_file_gives_it_the_path(self, store: MemoryArtifactStore, local: Path) -> None:
        (local / "a.txt").write_bytes(b"x")
        upload(store, local / "a.txt", "deep/b.txt")
        assert store.files == {"deep/b.txt": b"x"}

    def test_of_a_folder_puts_what_is_in_it(self, store: MemoryArtifactStore, local: Path) -> None:
        for name in (".hidden", "a", "d/e/f"):
            (local / name).parent.mkdir(parents=True, exist_ok=True)
            (local / name).write_bytes(name.encode())
        upload(store, local, "")
        upload(store, local, "model")
        names = [".hidden", "a", "d/e/f"]
        assert files(store) == sorted(names + [f"model/{name}" for name in names])
        assert read(store, "model/d/e/f") == b"d/e/f"

    def test_keeps_odd_names(self, store: MemoryArtifactStore, local: Path) -> None:
        for name in ODD_NAMES:
            (local / name).parent.mkdir(parents=True, exist_ok=True)
            (local / name).write_bytes(name.encode())
        upload(store, local, "m")
        assert sorted(store.files) == sorted(f"m/{name}" for name in ODD_NAMES)

    def test_leaves_out_folders_without_files(self, store: MemoryArtifactStore, local: Path) -> None:
        (local / "empty" / "deep").mkdir(parents=True)
        upload(store, local, "")
        assert store.files == {}

    def test_tells_how_far_it_is(self, store: MemoryArtifactStore, local: Path) -> None:
        for number in range(20):
            (local / f"{number}").write_bytes(bytes(1000))
        seen: list[Transferred] = []
        upload(store, local, "", seen.append)
        assert seen[-1] == Transferred(20, 20, 20_000, 20_000)
        assert [each.size for each in seen] == sorted(each.size for each in seen)
        assert {each.all_files for each in seen} == {20}

    def test_needs_something_that_is_there(self, store: MemoryArtifactStore, local: Path) -> None:
        with pytest.raises(NotFound, match="missing"):
            upload(store, local / "missing", "a")

    def test_refuses_hostile_paths(self, store: MemoryArtifactStore, local: Path) -> None:
        for path in HOSTILE_PATHS:
            with pytest.raises(InvalidUri):
                upload(store, local, path)

    @posix_only
    def test_uploads_nothing_when_a_name_cannot_be_kept(self, store: MemoryArtifactStore, local: Path) -> None:
        (local / "a").write_bytes(b"x")
        (local / "z\\y").write_bytes(b"x")
        with pytest.raises(InvalidUri, match="local's file"):
            upload(store, local, "")
        assert store.files == {}

    @posix_only
    def test_follows_links_to_files_and_folders(self, store: MemoryArtifactStore, local: Path, tmp_path: Path) -> None:
        (tmp_path / "blobs").mkdir()
        (tmp_path / "blobs" / "1").write_bytes(b"weights")
        (local / "weights.bin").symlink_to("../blobs/1")
        (local / "more").symlink_to("../blobs")
        (local / "again").symlink_to("../blobs")
        upload(store, local, "")
        assert store.files == dict.fromkeys(["weights.bin", "more/1", "again/1"], b"weights")

    @posix_only
    def test_refuses_links_in_a_circle_or_to_nowhere(self, store: MemoryArtifactStore, local: Path) -> None:
        (local / "a").mkdir()
        (local / "a" / "f").write_bytes(b"x")
        (local / "a" / "up").symlink_to("..")
        with pytest.raises(InvalidInput, match="no end"):
            upload(store, local, "")
        (local / "a" / "up").unlink()
        (local / "broken").symlink_to("nowhere")
        with pytest.raises(NotFound, match="leads nowhere"):
            upload(store, local, "")
        assert store.files == {}

    @posix_only
    def test_refuses_what_is_no_file(self, store: MemoryArtifactStore, local: Path) -> None:
        os.mkfifo(local / "pipe")
        with pytest.raises(InvalidInput, match="neither"):
            upload(store, local, "")

    def test_stops_at_the_first_failure(self, local: Path) -> None:
        for number in range(500):
            (local / f"{number:03}").write_bytes(b"x")
        store = Failing("010")
        with pytest.raises(StoreUnavailable, match="wire"):
            upload(store, local, "")
        assert len(store.asked) < 500

    def test_leaves_no_threads_behind(self, store: MemoryArtifactStore, local: Path) -> None:
        for number in range(50):
            (local / f"{number}").write_bytes(b"x")
        upload(store, local, "")
        assert not [thread for thread in threading.enumerate() if thread.name.startswith("dovetail-transfer")]


class TestDownload:
    def test_of_a_file(self, store: MemoryArtifactStore, target: Path) -> None:
        fill(store, {"a/b/c.txt": b"x", "a/d": b"y"})
        assert download(store, "a/b/c.txt", target) == target / "a" / "b" / "c.txt"
        assert everything(target) == ["a/b/c.txt"]
        assert (target / "a" / "b" / "c.txt").read_bytes() == b"x"

    def test_of_a_folder(self, store: MemoryArtifactStore, target: Path) -> None:
        fill(store, {"a/b/c": b"1", "a/d": b"2", "e": b"3"})
        assert download(store, "a", target) == target / "a"
        assert everything(target) == ["a/b/c", "a/d"]

    def test_of_everything(self, store: MemoryArtifactStore, target: Path) -> None:
        fill(store, {name: name.encode() for name in ODD_NAMES})
        assert download(store, "", target) == target
        assert everything(target) == sorted(ODD_NAMES)
        assert (target / ODD_NAMES[0]).read_bytes() == ODD_NAMES[0].encode()

    def test_of_an_empty_store_gives_an_empty_folder(self, store: MemoryArtifactStore, target: Path) -> None:
        assert download(store, "", target) == target
        assert list(target.iterdir()) == []

    def test_without_a_destination_gives_a_private_folder(self, store: MemoryArtifactStore) -> None:
        fill(store, {"a/b": b"x"})
        file = download(store, "a/b")
        try:
            assert file.read_bytes() == b"x"
            if sys.platform != "win32":
                assert stat.S_IMODE(file.parents[1].stat().st_mode) == 0o700
        finally:
            file.unlink()
            file.parent.rmdir()
            file.parents[1].rmdir()

    def test_replaces_what_is_there(self, store: MemoryArtifactStore, target: Path) -> None:
        target.mkdir()
        (target / "a").write_bytes(b"a longer old version")
        fill(store, {"a": b"new"})
        download(store, "a", target)
        assert (target / "a").read_bytes() == b"new"

    def test_of_what_is_not_there_is_not_found_and_leaves_nothing(
        self, store: MemoryArtifactStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
        with pytest.raises(NotFound):
            download(store, "missing")
        assert list(tmp_path.iterdir()) == []

    def test_copies_nothing_that_is_on_this_machine(self, local: Path, target: Path) -> None:
        (local / "model").mkdir()
        (local / "model" / "MLmodel").write_bytes(b"x")
        store = OnThisMachine(local)
        assert download(store, "model") == local / "model"
        fill(store, {"model/MLmodel": b"x"})
        assert download(store, "model", target) == target / "model"
        assert everything(target) == ["model/MLmodel"]

    def test_tells_how_far_it_is(self, store: MemoryArtifactStore, target: Path) -> None:
        fill(store, {f"a/{number}": bytes(500) for number in range(10)})
        seen: list[Transferred] = []
        download(store, "a", target, seen.append)
        assert seen[-1] == Transferred(10, 10, 5000, 5000)

    @pytest.mark.parametrize("name", STRAY_PATHS, ids=lambda path: ascii(path[:40]))
    def test_writes_nothing_outside_whatever_a_store_lists(self, tmp_path: Path, name: str) -> None:
        target = tmp_path / "deep" / "target"
        for folder, path in (("", name), ("a", name), ("a", f"a/{name}")):
            with suppress(StoreError):  # some names are harmless below a folder
                download(Listing(path, folder=folder), folder, target)
            assert [path for path in everything(tmp_path) if not path.startswith("deep/target/")] == []

    def test_says_what_a_store_lists_where_it_cannot_be(self, target: Path) -> None:
        for path in STRAY_PATHS:
            with pytest.raises(StoreError, match="cannot be") as caught:
                download(Listing(path), "", target)
            assert "hunter2" not in str(caught.value)
        assert not target.exists()

    def test_leaves_no_part_of_a_file(self, store: MemoryArtifactStore, target: Path) -> None:
        fill(store, {f"a/{number}": b"x" for number in range(5)})
        failing = Failing("a/3")
        failing.files = store.files
        with pytest.raises(StoreUnavailable):
            download(failing, "a", target)
        assert [name for name in everything(target) if ".part" in name] == []

    def test_says_when_the_destination_cannot_be_written(self, store: MemoryArtifactStore, local: Path) -> None:
        fill(store, {"a/b": b"x"})
        (local / "a").write_bytes(b"a file in the way")
        with pytest.raises(StoreError, match="Choose another destination"):
            download(store, "a", local)

    @posix_only
    def test_says_when_the_disk_is_full(self, target: Path) -> None:
        script = """
            import resource, sys
            from pathlib import Path
            from dovetail.artifacts.transfer import download
            from dovetail.errors import StoreFull
            from dovetail.testing.memory_artifacts import MemoryArtifactStore

            resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20))
            store = MemoryArtifactStore()
            store.files["a"] = bytes(3 << 20)
            try:
                download(store, "a", Path(sys.argv[1]))
            except StoreFull as error:
                print(error)
        """
        command = [sys.executable, "-c", textwrap.dedent(script), str(target)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert "Make room" in done.stdout, done.stderr
        assert everything(target) == []
        assert issubclass(StoreFull, StoreError)


class TestLargeFiles:
    def test_need_little_memory(self, local: Path, target: Path) -> None:
        with (local / "large").open("wb") as file:
            file.truncate(256 << 20)
        tracemalloc.start()
        try:
            upload(Discarding(), local / "large", "large")
            download(Discarding(), "large", target)
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        assert peak < 16 << 20


class TestCtrlC:
    @posix_only
    @pytest.mark.parametrize("way", ["upload", "download"])
    def test_ends_soon_and_leaves_no_part(self, tmp_path: Path, way: str) -> None:
        (tmp_path / "local").mkdir()
        for number in range(100):
            (tmp_path / "local" / f"{number:03}").write_bytes(bytes(1 << 20))
        script = """
            import io, sys, time
            from pathlib import Path
            from dovetail.artifacts import transfer
            from dovetail.testing.memory_artifacts import MemoryArtifactStore

            class Slow(MemoryArtifactStore):
                def put(self, path, stream):
                    while stream.read(1 << 10):
                        print("block\\n", end="", flush=True)
                        time.sleep(0.05)
                def open(self, path):
                    return Trickle()

            class Trickle(io.RawIOBase):
                def read(self, size=-1):
                    print("block\\n", end="", flush=True)
                    time.sleep(0.05)
                    return b"x"

            folder, way = Path(sys.argv[1]), sys.argv[2]
            store = Slow()
            store.files.update({f"{number}": b"x" for number in range(100)})
            try:
                if way == "upload":
                    transfer.upload(store, folder / "local", "")
                else:
                    transfer.download(store, "", folder / "target")
            except KeyboardInterrupt:
                print("interrupted")
        """
        command = [sys.executable, "-c", textwrap.dedent(script), str(tmp_path), way]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            assert process.stdout.readline().startswith("block")
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=10)
        assert out.endswith("interrupted\n"), err
        assert err == ""
        assert process.returncode == 0
        if way == "download":
            assert everything(tmp_path / "target") == []
