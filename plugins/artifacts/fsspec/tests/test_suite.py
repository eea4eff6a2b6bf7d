"""Every kind of place is held to the suite for artifact stores; the remote ones where their service runs."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

import pytest

from dovetail.testing.artifact_corpus import ODD_NAMES
from dovetail.testing.artifact_store import ArtifactStoreSuite
from dovetail_fsspec.local import LocalArtifactStore
from dovetail_fsspec.store import FsspecArtifactStore

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


class TestLocal(ArtifactStoreSuite):
    local = True

    @pytest.fixture
    def store(self, tmp_path: Path) -> LocalArtifactStore:
        return LocalArtifactStore(str(tmp_path / "my artifacts #1"))


class TestMemory(ArtifactStoreSuite):
    holds_files_in_memory = True

    @pytest.fixture
    def store(self) -> Iterator[FsspecArtifactStore]:
        store = FsspecArtifactStore(f"memory://{uuid.uuid4().hex}/artifacts")
        yield store
        store.delete("")


class TestLocalByFsspec(ArtifactStoreSuite):
    """fsspec's own driver for local files stands for the remote ones that rename: it needs no service."""

    keeps_empty_directories = True

    @pytest.fixture
    def store(self, tmp_path: Path) -> FsspecArtifactStore:
        return FsspecArtifactStore((tmp_path / "artifacts").as_uri())


class TestS3(ArtifactStoreSuite):
    keeps_open_files = False  # an object that was replaced is gone

    @pytest.fixture
    def store(self, service: Callable[[str], str]) -> Iterator[FsspecArtifactStore]:
        service("AWS_ENDPOINT_URL")
        bucket = f"dovetail-{uuid.uuid4().hex}"
        s3fs: Any = pytest.importorskip("s3fs")
        s3fs.S3FileSystem().mkdir(bucket)
        store = FsspecArtifactStore(f"s3://{bucket}/some/prefix")
        yield store
        store.delete("")


class TestWebHdfs(ArtifactStoreSuite):
    keeps_empty_directories = True
    keeps_open_files = False
    replaces_at_once = False  # its renaming does not replace
    # HDFS names hold no colon; and a server may name the new file in a header, which holds Latin-1 only.
    odd_names = tuple(name for name in ODD_NAMES if ":" not in name and max(name) <= "\xff")

    @pytest.fixture
    def store(self, service: Callable[[str], str]) -> Iterator[FsspecArtifactStore]:
        address = service("WEBHDFS_URL").removeprefix("http://").removesuffix("/webhdfs/v1")
        store = FsspecArtifactStore(f"webhdfs://{address}/dovetail-{uuid.uuid4().hex}")
        yield store
        store.delete("")
