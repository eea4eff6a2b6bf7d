"""A process that may open no more files for a moment: what asks for one is told to come again."""

from __future__ import annotations

import io
import os
import sys
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import pytest

from dovetail.errors import InvalidInput, NotFound, StoreUnavailable
from dovetail_fsspec.local import LocalArtifactStore
from dovetail_server.resumable import Upload, Uploads

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from dovetail.artifacts.store import ArtifactStore

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="files are not counted there")


@contextmanager
def descriptors_left(count: int) -> Iterator[None]:
    """A block in which this process may open so many files more."""
    import resource

    limit, taken = resource.getrlimit(resource.RLIMIT_NOFILE), []
    resource.setrlimit(resource.RLIMIT_NOFILE, (512, limit[1]))
    try:
        try:
            while True:
                taken.append(os.dup(0))
        except OSError:
            for _ in range(count):
                os.close(taken.pop())
        yield
    finally:
        for each in taken:
            os.close(each)
        resource.setrlimit(resource.RLIMIT_NOFILE, limit)


class TestAnUploadInParts:
    @pytest.fixture
    def uploads(self, tmp_path: Path) -> Uploads:
        return Uploads(tmp_path / "state", (tmp_path / "kept").as_uri())

    @pytest.fixture
    def store(self, tmp_path: Path) -> ArtifactStore:
        return LocalArtifactStore((tmp_path / "kept").as_uri())

    @pytest.fixture
    def upload(self, uploads: Uploads) -> Upload:
        found = uploads.begin("a.bin")
        found.put(1, io.BytesIO(b"first"))
        found.put(2, io.BytesIO(b"second"))
        return found

    @pytest.mark.parametrize("count", [0, 1])
    def test_is_begun_or_not_at_all(self, uploads: Uploads, tmp_path: Path, count: int) -> None:
        uploads.begin("other")
        with descriptors_left(count):
            try:
                uploads.begin("a.bin")
            except StoreUnavailable:
                wanted = 1
            else:
                wanted = 2
        assert wanted == 1 + count
        assert len(list((tmp_path / "state").iterdir())) == wanted

    def test_leaves_nothing_of_a_part_that_cannot_be_kept(self, upload: Upload) -> None:
        with descriptors_left(0), pytest.raises(StoreUnavailable):
            upload.put(1, io.BytesIO(b"anew"))
        assert [part.size for part in upload.parts()] == [5, 6]

    def test_is_still_there(self, uploads: Uploads, upload: Upload) -> None:
        with descriptors_left(0), pytest.raises(StoreUnavailable):
            uploads.find(upload.upload_id, "a.bin")
        assert uploads.find(upload.upload_id, "a.bin").state == "open"

    def test_has_no_state_then(self, upload: Upload, store: ArtifactStore) -> None:
        with pytest.raises(InvalidInput, match="missing"):
            upload.complete(store, 3, None, None)
        with descriptors_left(0), pytest.raises(StoreUnavailable):
            _ = upload.state

    @pytest.mark.parametrize("count", range(6))
    def test_is_completed_as_a_whole(self, upload: Upload, store: ArtifactStore, count: int) -> None:
        with descriptors_left(count), suppress(StoreUnavailable):
            upload.complete(store, 2, None, None)
        if upload.state == "open":
            assert not [each.path for each in store.list()]
        upload.complete(store, 2, None, None)
        with store.open("a.bin") as file:
            assert file.read() == b"firstsecond"

    def test_is_given_up_at_once(self, uploads: Uploads, upload: Upload) -> None:
        with descriptors_left(0):
            upload.abort()
        with pytest.raises(NotFound):
            uploads.find(upload.upload_id, "a.bin")


class TestArtifacts:
    @pytest.mark.parametrize("count", range(6))
    def test_are_listed_as_they_are_or_not_at_all(self, tmp_path: Path, count: int) -> None:
        store = LocalArtifactStore((tmp_path / "kept").as_uri())
        store.put("folder/a", io.BytesIO(b"a"))
        (tmp_path / "kept" / "folder" / "link").symlink_to("a")
        found = None
        with descriptors_left(count), suppress(StoreUnavailable):
            found = [each.path for each in store.list("folder")]
        assert found in (None, ["folder/a", "folder/link"])
