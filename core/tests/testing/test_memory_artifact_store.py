"""The reference artifact store is held to the suite that it is the reference for."""

from __future__ import annotations

import pytest

from dovetail.testing.artifact_store import ArtifactStoreSuite
from dovetail.testing.memory_artifacts import MemoryArtifactStore


class TestMemoryArtifactStore(ArtifactStoreSuite):
    holds_files_in_memory = True

    @pytest.fixture
    def store(self) -> MemoryArtifactStore:
        return MemoryArtifactStore()

    @pytest.fixture
    def again(self, store: MemoryArtifactStore) -> MemoryArtifactStore:
        return store
