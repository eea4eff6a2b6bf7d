"""The part of the artifact store suite about whole files and many writers."""

from __future__ import annotations

import io
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, ClassVar

import pytest

from dovetail.errors import NotFound, StoreUnavailable
from dovetail.testing.artifact_corpus import files, fill, read
from dovetail.testing.streams import BrokenOffError, breaking_off, from_pieces
from dovetail.values import FileInfo

if TYPE_CHECKING:
    from dovetail.artifacts.store import ArtifactStore

__all__ = ["ArtifactAtomicityTests"]


class ArtifactAtomicityTests:
    """Part of ``ArtifactStoreSuite``, which documents the attributes."""

    keeps_empty_directories: ClassVar[bool] = False
    keeps_open_files: ClassVar[bool] = True
    replaces_at_once: ClassVar[bool] = True

    # --- whole files -----------------------------------------------------------------------------------------

    @pytest.mark.parametrize("size", [0, 10, 20 << 20], ids=["at once", "soon", "after 20 MiB"])
    def test_of_a_stream_that_breaks_off_nothing_is_left(self, store: ArtifactStore, size: int) -> None:
        """No file, no folder, no entry; the stream's own error comes back as it is."""
        with pytest.raises(BrokenOffError):
            store.put("new/a", breaking_off(bytes(size)))
        assert list(store.list("new")) == []
        with pytest.raises(NotFound):
            store.open("new/a")
        if not self.keeps_empty_directories:
            assert list(store.list()) == []

    @pytest.mark.parametrize("size", [10, 20 << 20], ids=["soon", "after 20 MiB"])
    def test_a_stream_that_breaks_off_leaves_the_former_file(self, store: ArtifactStore, size: int) -> None:
        """And nothing beside it."""
        fill(store, {"a/b": b"former"})
        with pytest.raises(BrokenOffError):
            store.put("a/b", breaking_off(bytes(size)))
        assert read(store, "a/b") == b"former"
        assert files(store) == ["a/b"]

    def test_nothing_is_seen_of_a_file_that_is_being_written(self, store: ArtifactStore) -> None:
        """Until it is complete, the former content holds, and the folder shows what it showed."""
        fill(store, {"a/b": b"former"})
        seen: list[Any] = []

        def pieces() -> Any:
            yield b"x" * (10 << 20)
            seen.extend([read(store, "a/b"), list(store.list("a"))])
            yield b"y"

        store.put("a/b", from_pieces(pieces()))
        assert seen == [b"former", [FileInfo("a/b", is_dir=False, file_size=6)]]
        assert len(read(store, "a/b")) == (10 << 20) + 1

    def test_readers_see_whole_files_while_they_are_replaced(self, store: ArtifactStore) -> None:
        """The former content or the new one, whenever they look."""
        versions = [bytes([digit]) * 200_000 for digit in b"0123456789"]
        fill(store, {"a/b": versions[0]})
        done = threading.Event()

        def watch() -> set[bytes]:
            seen = set()
            while not done.is_set():
                seen.add(self._content(store, "a/b"))
            return seen

        with ThreadPoolExecutor(3) as pool:
            watchers = [pool.submit(watch) for _ in range(3)]
            try:
                for version in versions * 3:
                    store.put("a/b", io.BytesIO(version))
            finally:
                done.set()
        assert set().union(*(watcher.result() for watcher in watchers)) - {b"given up", b"missing"} <= {*versions}

    def _content(self, store: ArtifactStore, path: str) -> bytes:
        try:
            return read(store, path)
        except StoreUnavailable:
            if self.keeps_open_files:
                raise
            return b"given up"
        except NotFound:
            if self.replaces_at_once:
                raise
            return b"missing"

    def test_an_open_file_stays_what_it_was(self, store: ArtifactStore) -> None:
        """Whoever has opened a file reads that one, also when it is replaced or deleted meanwhile."""
        fill(store, {"a": b"former" * 1000})
        with store.open("a") as stream:
            start = stream.read(6)
            fill(store, {"a": b"NEW"})
            try:
                rest = stream.read()
            except StoreUnavailable:
                assert not self.keeps_open_files
                return
        assert start + rest == b"former" * 1000

    # --- many at once ----------------------------------------------------------------------------------------

    def test_many_threads_put_many_files(self, store: ArtifactStore, again: ArtifactStore) -> None:
        """Into one folder that none of them has made, through two objects; all arrive."""
        contents = {f"run/{number % 3}/{number}.bin": bytes([number]) * 1000 for number in range(48)}

        def put(item: tuple[int, str]) -> None:
            (store, again)[item[0] % 2].put(item[1], io.BytesIO(contents[item[1]]))

        with ThreadPoolExecutor(8) as pool:
            list(pool.map(put, enumerate(contents)))
        assert {name: read(store, name) for name in files(store)} == contents

    def test_of_many_writers_of_one_path_one_wins(self, store: ArtifactStore, again: ArtifactStore) -> None:
        """Its file is whole, and nothing is left of the others."""
        versions = [bytes([number]) * 100_000 for number in range(16)]

        def put(number: int) -> None:
            (store, again)[number % 2].put("a/b", io.BytesIO(versions[number]))

        with ThreadPoolExecutor(8) as pool:
            list(pool.map(put, range(16)))
        assert read(store, "a/b") in versions
        assert files(store) == ["a/b"]

    def test_writing_goes_on_while_neighbours_are_deleted(self, store: ArtifactStore) -> None:
        """A folder that goes away with its last file takes no new file with it."""

        def work(number: int) -> None:
            for _ in range(8):
                store.put(f"a/b/{number}", io.BytesIO(b"x"))
                store.delete(f"a/b/{number}")
            store.put(f"a/b/{number}", io.BytesIO(b"kept"))

        with ThreadPoolExecutor(4) as pool:
            list(pool.map(work, range(4)))
        assert files(store) == [f"a/b/{number}" for number in range(4)]
