"""Artifacts behind a real MLflow server."""

from __future__ import annotations

import io
import shutil
from typing import TYPE_CHECKING

import pytest

from dovetail.errors import InvalidInput, StoreError
from dovetail.testing.artifact_corpus import ODD_NAMES, files, fill
from dovetail.testing.artifact_store import ArtifactStoreSuite
from dovetail.tracking import places
from dovetail_http.artifacts import MlflowArtifacts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conftest import Served
    from dovetail.artifacts.store import ArtifactStore


class TestArtifactsOfMlflows(ArtifactStoreSuite):
    """It keeps empty folders, refuses names with ``#`` in them, and reads ``%41`` as ``A``."""

    keeps_empty_directories = True
    odd_names = tuple(name for name in ODD_NAMES if name not in ("a#b", "%41", "a%20b"))
    # Its folders go away under whoever writes into them: a put fails now and then.
    test_writing_goes_on_while_neighbours_are_deleted = None

    @pytest.fixture
    def store(self, server: Served) -> Iterator[ArtifactStore]:
        places.set_tracking_uri(server.uri)
        yield MlflowArtifacts("mlflow-artifacts:/0/run/artifacts")
        places.forget_places()
        shutil.rmtree(server.artifacts, ignore_errors=True)

    def test_odd_names_are_deleted_one_by_one(self, store: ArtifactStore) -> None:
        """It refuses files that are called like a query only."""
        fill(store, {"a*": b"x", "ab": b"x", "[ab]/c": b"x", "a/c": b"x", "d": b"x"})
        for name in ("a*", "[ab]"):
            store.delete(name)
        assert files(store) == ["a/c", "ab", "d"]
        for name in ("?", "a#b"):
            with pytest.raises(InvalidInput):
                store.put(name, io.BytesIO(b"x"))

    def test_the_root_and_folders_cannot_be_written(self, store: ArtifactStore) -> None:
        """It fails without saying why."""
        fill(store, {"a/b/c.txt": b"x"})
        with pytest.raises(InvalidInput):
            store.put("", io.BytesIO(b"y"))
        with pytest.raises(StoreError):
            store.put("a", io.BytesIO(b"y"))
        assert files(store) == ["a/b/c.txt"]

    def test_a_local_path_is_the_file_itself(self, store: ArtifactStore) -> None:
        """It has none."""
        fill(store, {"a/b.txt": b"x"})
        assert store.local_path("a/b.txt") is None

    def test_a_file_of_many_parts_goes_up_in_one_request(self, store: ArtifactStore) -> None:
        """As it has no way to take parts, which is asked once."""
        content = bytes(range(256)) * (9 << 12)
        store.put("a", io.BytesIO(content))
        with store.open("a") as stream:
            assert stream.read() == content
