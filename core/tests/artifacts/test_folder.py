"""One folder of a store is held to what every artifact store is."""

from __future__ import annotations

import pytest

from dovetail.artifacts.folder import ArtifactFolder
from dovetail.testing.artifact_store import ArtifactStoreSuite
from dovetail.testing.memory_artifacts import MemoryArtifactStore


class TestArtifactFolder(ArtifactStoreSuite):
    holds_files_in_memory = True

    @pytest.fixture
    def store(self) -> ArtifactFolder:
        return ArtifactFolder(MemoryArtifactStore(), "some/folder")

    @pytest.fixture
    def again(self, store: ArtifactFolder) -> ArtifactFolder:
        return store


def test_all_of_a_store_is_a_folder_too() -> None:
    whole = MemoryArtifactStore("kept://x")
    whole.files = {"a/b.txt": b"b", "c.txt": b"c"}
    assert [each.path for each in ArtifactFolder(whole, "").list()] == ["a", "c.txt"]
    assert [each.path for each in ArtifactFolder(whole, "a").list()] == ["b.txt"]
    assert (ArtifactFolder(whole, "").uri, ArtifactFolder(whole, "a").uri) == ("kept://x", "kept://x/a")
