"""The suite that every artifact store is held to."""

from __future__ import annotations

import io
import os
import tracemalloc
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import pytest

from dovetail.errors import DovetailError, InvalidInput, InvalidUri, NotFound
from dovetail.testing.artifact_atomicity import ArtifactAtomicityTests
from dovetail.testing.artifact_corpus import HOSTILE_PATHS, ODD_NAMES, files, fill, names, read
from dovetail.testing.streams import digest_of, generated, uneven
from dovetail.values import FileInfo

if TYPE_CHECKING:
    from collections.abc import Callable

    from dovetail.artifacts.store import ArtifactStore

__all__ = ["ArtifactStoreSuite"]


class ArtifactStoreSuite(ArtifactAtomicityTests):
    """Override ``store`` with a fixture that gives an empty store; all tests must pass.

        class TestNotesStore(ArtifactStoreSuite):
            @pytest.fixture
            def store(self, tmp_path):
                return NotesStore(f"notes:{tmp_path}")

    Attributes:
        keeps_empty_directories: A folder stays when the last file in it is deleted.
        keeps_open_files: A file that was opened before it was replaced can be read to its end. Otherwise reading may
            fail with ``StoreUnavailable``, but never gives a mixture.
        replaces_at_once: While a file is replaced, readers always find one. Otherwise they may find none for a moment.
        local: The store offers ``local_path``.
        holds_files_in_memory: Memory is where the store keeps files, so that large ones need much of it.
        memory_bound: Bytes that moving a file of 64 MiB may need otherwise.
        odd_names: Names that files have; leave out what the place behind the store cannot hold.
    """

    local: ClassVar[bool] = False
    holds_files_in_memory: ClassVar[bool] = False
    memory_bound: ClassVar[int] = 48 << 20
    odd_names: ClassVar[tuple[str, ...]] = ODD_NAMES

    @pytest.fixture
    def store(self) -> ArtifactStore:
        """An empty store."""
        raise NotImplementedError("override the fixture `store`")

    @pytest.fixture
    def again(self, store: ArtifactStore) -> ArtifactStore:
        """Another object for the same place, as a second process would make it."""
        make: Callable[[str], ArtifactStore] = type(store)
        return make(store.uri)

    # --- listing ---------------------------------------------------------------------------------------------

    def test_an_empty_store_lists_nothing(self, store: ArtifactStore) -> None:
        """Also before anything was ever put there."""
        assert list(store.list()) == []

    def test_a_folder_lists_its_direct_children(self, store: ArtifactStore) -> None:
        """Folders have no size; paths are relative to the root."""
        fill(store, {"model/MLmodel": b"12", "model/data/weights.bin": b"123", "notes.txt": b"1"})
        assert list(store.list()) == [FileInfo("model", is_dir=True), FileInfo("notes.txt", is_dir=False, file_size=1)]
        assert list(store.list("model")) == [
            FileInfo("model/MLmodel", is_dir=False, file_size=2),
            FileInfo("model/data", is_dir=True),
        ]
        assert names(store, "model/data") == ["model/data/weights.bin"]

    def test_children_are_ordered_by_path(self, store: ArtifactStore) -> None:
        """Files and folders together, by code points: capitals first, no folders first."""
        given = ["b", "a/x", "a.txt", "a-b", "B", "é", "10", "9", "z/x", "_"]
        fill(store, dict.fromkeys(given, b"x"))
        assert names(store) == sorted(["b", "a", "a.txt", "a-b", "B", "é", "10", "9", "z", "_"])

    def test_a_file_and_a_missing_place_list_nothing(self, store: ArtifactStore) -> None:
        """Neither is an error."""
        fill(store, {"a.txt": b"x"})
        assert list(store.list("a.txt")) == []
        assert list(store.list("missing")) == []
        assert list(store.list("missing/deeper")) == []

    def test_a_folder_is_not_its_neighbour_of_a_longer_name(self, store: ArtifactStore) -> None:
        """Folders end at a slash, not where their name ends."""
        fill(store, {"model/a": b"x", "model2/b": b"x", "model.txt": b"x"})
        assert names(store, "model") == ["model/a"]
        assert list(store.list("mod")) == []

    def test_a_folder_goes_with_its_last_file(self, store: ArtifactStore) -> None:
        """Folders exist by having something in them."""
        fill(store, {"a/b/c.txt": b"x"})
        store.delete("a/b/c.txt")
        assert list(store.list("a/b")) == []
        if not self.keeps_empty_directories:
            assert list(store.list()) == []

    def test_what_another_object_puts_is_seen_at_once(self, store: ArtifactStore, again: ArtifactStore) -> None:
        """Stores remember no listings."""
        assert names(store) == []
        fill(again, {"a/b": b"x"})
        assert names(store) == ["a"]
        assert names(store, "a") == ["a/b"]
        fill(again, {"a/c": b"x"})
        assert names(store, "a") == ["a/b", "a/c"]
        again.delete("a")
        assert names(store, "a") == []

    # --- reading ---------------------------------------------------------------------------------------------

    def test_a_file_comes_back(self, store: ArtifactStore) -> None:
        """In one go, in pieces, and when it is opened twice."""
        fill(store, {"a/b.bin": b"0123456789"})
        with store.open("a/b.bin") as first, store.open("a/b.bin") as second:
            assert first.read(4) == b"0123"
            assert second.read() == b"0123456789"
            assert first.read() == b"456789"
            assert first.read(1) == b""

    def test_a_missing_file_is_not_found(self, store: ArtifactStore) -> None:
        """Wherever it is missing."""
        fill(store, {"a.txt": b"x"})
        for path in ("missing", "missing/deeper", "a", "a.txt/below"):
            with pytest.raises(NotFound):
                store.open(path)

    def test_a_folder_cannot_be_opened(self, store: ArtifactStore) -> None:
        """The root is one too."""
        fill(store, {"a/b/c.txt": b"x"})
        for path in ("a", "a/b", ""):
            with pytest.raises(InvalidInput):
                store.open(path)

    # --- putting ---------------------------------------------------------------------------------------------

    @pytest.mark.parametrize("content", [b"", b"x", b"\r\n\x00\xff" * 1000], ids=["empty", "one byte", "binary"])
    def test_content_is_kept_as_it_is(self, store: ArtifactStore, content: bytes) -> None:
        """To the byte; the size too."""
        fill(store, {"a": content})
        assert read(store, "a") == content
        assert list(store.list()) == [FileInfo("a", is_dir=False, file_size=len(content))]

    def test_names_are_kept_as_they_are(self, store: ArtifactStore) -> None:
        """Spaces, signs that URIs and patterns give a meaning, all of Unicode; each names its own file."""
        contents = {name: name.encode() for name in self.odd_names}
        fill(store, contents)
        assert sorted(files(store)) == sorted(self.odd_names)
        assert {name: read(store, name) for name in self.odd_names} == contents

    def test_odd_names_are_deleted_one_by_one(self, store: ArtifactStore) -> None:
        """A star or bracket in a name is no pattern."""
        fill(store, {"a*": b"x", "ab": b"x", "[ab]/c": b"x", "a/c": b"x", "?": b"x", "d": b"x"})
        for name in ("a*", "[ab]", "?"):
            store.delete(name)
        assert files(store) == ["a/c", "ab", "d"]

    def test_spellings_of_one_path_are_one_file(self, store: ArtifactStore) -> None:
        """Paths have one form."""
        fill(store, {"./a//b.txt": b"x"})
        assert read(store, "a/./b.txt") == b"x"
        assert names(store, "a/") == names(store, "./a") == ["a/b.txt"]

    def test_a_file_is_replaced(self, store: ArtifactStore) -> None:
        """Also by a shorter one; the last one wins."""
        fill(store, {"a/b": b"a long first version"})
        fill(store, {"a/b": b"short"})
        assert read(store, "a/b") == b"short"
        assert list(store.list("a")) == [FileInfo("a/b", is_dir=False, file_size=5)]

    def test_an_uneven_stream_is_read_to_its_end(self, store: ArtifactStore) -> None:
        """A stream may give fewer bytes than it is asked for, and need not be able to seek."""
        content = os.urandom(100_000)
        store.put("a", uneven(content))
        assert read(store, "a") == content

    def test_the_root_and_folders_cannot_be_written(self, store: ArtifactStore) -> None:
        """What is in the folder stays."""
        fill(store, {"a/b/c.txt": b"x"})
        for path in ("", ".", "a", "a/b"):
            with pytest.raises(InvalidInput):
                store.put(path, io.BytesIO(b"y"))
        assert files(store) == ["a/b/c.txt"]

    def test_a_file_is_not_lost_to_one_below_it(self, store: ArtifactStore) -> None:
        """A store may refuse, or keep both as object stores do."""
        fill(store, {"a": b"x"})
        try:
            store.put("a/b", io.BytesIO(b"y"))
        except DovetailError:
            assert files(store) == ["a"]
        assert read(store, "a") == b"x"

    @pytest.mark.timeout(300)
    def test_a_large_file_needs_little_memory(self, store: ArtifactStore) -> None:
        """64 MiB go in and out in blocks."""
        size = 64 << 20
        expected = digest_of(generated(size))
        tracemalloc.start()
        try:
            store.put("large.bin", generated(size))
            with store.open("large.bin") as stream:
                assert digest_of(stream) == expected
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        assert self.holds_files_in_memory or peak < self.memory_bound, peak

    # --- deleting --------------------------------------------------------------------------------------------

    def test_a_file_is_deleted(self, store: ArtifactStore) -> None:
        """And nothing else."""
        fill(store, {"a/b": b"x", "a/b2": b"x", "a/bc/d": b"x"})
        store.delete("a/b")
        assert files(store) == ["a/b2", "a/bc/d"]
        with pytest.raises(NotFound):
            store.open("a/b")

    def test_a_folder_is_deleted_with_everything_in_it(self, store: ArtifactStore) -> None:
        """Neighbours with longer names stay."""
        fill(store, {"a/b/c": b"x", "a/b/d/e/f": b"x", "a/b2": b"x", "a/bc/d": b"x", "z": b"x"})
        store.delete("a/b")
        assert files(store) == ["a/b2", "a/bc/d", "z"]
        assert list(store.list("a/b")) == []
        fill(store, {"a/b": b"now a file"})
        assert read(store, "a/b") == b"now a file"

    def test_a_store_is_emptied(self, store: ArtifactStore) -> None:
        """And can be used again."""
        fill(store, {"a/b/c": b"x", "d": b"x", "[e]/f": b"x"})
        store.delete("")
        assert list(store.list()) == []
        fill(store, {"a": b"x"})
        assert names(store) == ["a"]

    def test_what_is_not_there_cannot_be_deleted(self, store: ArtifactStore) -> None:
        """A second delete finds nothing."""
        fill(store, {"a/b": b"x"})
        for path in ("missing", "a/missing", "missing/b", "a/b/c"):
            with pytest.raises(NotFound):
                store.delete(path)
        store.delete("a/b")
        with pytest.raises(NotFound):
            store.delete("a/b")

    # --- paths -----------------------------------------------------------------------------------------------

    @pytest.mark.parametrize("path", HOSTILE_PATHS, ids=lambda path: ascii(path[:40]))
    def test_no_path_leads_outside(self, store: ArtifactStore, path: str) -> None:
        """Each verb refuses, before it does anything."""
        fill(store, {"a/kept": b"x"})
        with pytest.raises(InvalidUri):
            list(store.list(path))
        with pytest.raises(InvalidUri):
            store.open(path)
        with pytest.raises(InvalidUri):
            store.put(path, io.BytesIO(b"y"))
        with pytest.raises(InvalidUri):
            store.delete(path)
        if self.local:
            with pytest.raises(InvalidUri):
                store.local_path(path)
        assert files(store) == ["a/kept"]

    # --- capabilities ----------------------------------------------------------------------------------------

    def test_a_local_path_is_the_file_itself(self, store: ArtifactStore) -> None:
        """Stores that are elsewhere have none."""
        fill(store, {"a/b#1.txt": b"x"})
        if not self.local:
            assert store.local_path("a/b#1.txt") is None
            return
        file, folder = store.local_path("a/b#1.txt"), store.local_path("a")
        assert isinstance(file, Path)
        assert isinstance(folder, Path)
        assert file.read_bytes() == b"x"
        assert file.parent == folder
        assert store.local_path("missing") is None
