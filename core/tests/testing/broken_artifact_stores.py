"""Artifact stores with one fault each; ``test_artifact_store_suite.py`` sees to it that the suite finds every one."""

from __future__ import annotations

import io
import time
from typing import TYPE_CHECKING, BinaryIO

import pytest

from dovetail.errors import InvalidInput, NotFound
from dovetail.testing.artifact_store import ArtifactStoreSuite
from dovetail.testing.memory_artifacts import MemoryArtifactStore

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dovetail.artifacts.store import ArtifactStore
    from dovetail.values import FileInfo


class _Broken(ArtifactStoreSuite):
    holds_files_in_memory = True
    kind: type[MemoryArtifactStore]

    @pytest.fixture
    def store(self) -> MemoryArtifactStore:
        return self.kind()

    @pytest.fixture
    def again(self, store: ArtifactStore) -> ArtifactStore:
        return store


class InPlace(MemoryArtifactStore):
    """Shows a file while it is being written."""

    def put(self, path: str, stream: BinaryIO) -> None:
        content = b""
        while block := stream.read(1 << 16):
            content += block
            super().put(path, io.BytesIO(content))
        super().put(path, io.BytesIO(content))


class Unordered(MemoryArtifactStore):
    """Lists as it pleases."""

    def list(self, path: str = "") -> Iterator[FileInfo]:
        return reversed([*super().list(path)])


class FoldersFirst(MemoryArtifactStore):
    """Lists folders before files."""

    def list(self, path: str = "") -> Iterator[FileInfo]:
        return iter(sorted(super().list(path), key=lambda info: (not info.is_dir, info.path)))


class Trusting(MemoryArtifactStore):
    """Looks at a path once decoded only, as many a fix did."""

    def open(self, path: str) -> BinaryIO:
        if path.startswith("/") or ".." in path.split("/"):
            return super().open(path)
        if path not in self.files:
            raise NotFound(path)
        return io.BytesIO(self.files[path])


class PrefixDelete(MemoryArtifactStore):
    """Takes a folder for everything whose name begins like it."""

    def delete(self, path: str) -> None:
        super().delete(path)
        for name in [name for name in self.files if name.startswith(path)]:
            del self.files[name]


class FolderMissing(MemoryArtifactStore):
    """Says of a folder that it does not exist."""

    def open(self, path: str) -> BinaryIO:
        try:
            return super().open(path)
        except InvalidInput as error:
            raise NotFound(path) from error


class SilentDelete(MemoryArtifactStore):
    """Deletes what is not there."""

    def delete(self, path: str) -> None:
        try:
            super().delete(path)
        except NotFound:
            return


class OneRead(MemoryArtifactStore):
    """Takes what the first read gives for the whole stream."""

    def put(self, path: str, stream: BinaryIO) -> None:
        super().put(path, io.BytesIO(stream.read(1 << 30)))


class Forgetful(MemoryArtifactStore):
    """Loses files when several are put at once."""

    def put(self, path: str, stream: BinaryIO) -> None:
        before = dict(self.files)
        time.sleep(0.001)
        super().put(path, stream)
        self.files = {**before, path: self.files[path]} if path in self.files else before


class HalfKept(MemoryArtifactStore):
    """Keeps what it got of a stream that broke off."""

    def put(self, path: str, stream: BinaryIO) -> None:
        content = b""
        try:
            while block := stream.read(1 << 16):
                content += block
        finally:
            super().put(path, io.BytesIO(content))


class TestInPlace(_Broken):
    kind = InPlace


class TestUnordered(_Broken):
    kind = Unordered


class TestFoldersFirst(_Broken):
    kind = FoldersFirst


class TestTrusting(_Broken):
    kind = Trusting


class TestPrefixDelete(_Broken):
    kind = PrefixDelete


class TestFolderMissing(_Broken):
    kind = FolderMissing


class TestSilentDelete(_Broken):
    kind = SilentDelete


class TestOneRead(_Broken):
    kind = OneRead


class TestForgetful(_Broken):
    kind = Forgetful


class TestHalfKept(_Broken):
    kind = HalfKept


class TestHungry(_Broken):
    """Needs memory for the whole file, and does not say so."""

    kind = MemoryArtifactStore
    holds_files_in_memory = False
