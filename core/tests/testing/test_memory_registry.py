"""The reference registry is held to the suite, and does what only it does."""

from __future__ import annotations

import sys

import pytest

from dovetail import plugins
from dovetail.errors import InvalidUri
from dovetail.testing import MemoryRegistryStore, RegistryStoreSuite
from dovetail.testing.memory_registry import open_memory_registry


class TestMemoryRegistryStore(RegistryStoreSuite):
    @pytest.fixture
    def store(self) -> MemoryRegistryStore:
        return MemoryRegistryStore()


class TestOpening:
    def test_one_name_is_one_registry_in_the_process(self) -> None:
        store = open_memory_registry("memory://one-registry")
        store.create_registered_model("wine")
        assert open_memory_registry("memory://one-registry/") is store
        assert open_memory_registry(store.uri) is store
        assert list(open_memory_registry("memory://another").search_registered_models()) == []

    @pytest.mark.parametrize("uri", ["memory:x", "sqlite://x", "memory://x?a=1", "memory://x#y", ""])
    def test_other_locations_are_refused(self, uri: str) -> None:
        with pytest.raises(InvalidUri):
            open_memory_registry(uri)

    def test_it_is_found_by_its_scheme(self) -> None:
        by_hand = plugins.Plugins(points=())
        by_hand.register(sys.modules[MemoryRegistryStore.__module__], "registry_stores", "memory")
        assert by_hand.find("registry_stores", "memory") is open_memory_registry
