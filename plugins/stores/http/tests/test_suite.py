"""The store and the registry behind a server are held to what all are: the network is one more store."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from dovetail.testing import PluginSuite, RegistryStoreSuite, TrackingStoreSuite
from dovetail_http import open_registry, open_tracking

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from dovetail.registry.store import RegistryStore
    from dovetail.tracking.store import TrackingStore


class TestATrackingStoreBehindAServer(TrackingStoreSuite):
    survives_reopen = True
    shared_between_processes = True

    @pytest.fixture
    def uri(self, serve: Callable[..., str], tmp_path_factory: pytest.TempPathFactory) -> str:
        return serve(f"sqlite:///{tmp_path_factory.mktemp('served')}/runs.db")

    @pytest.fixture
    def store(self, uri: str) -> Iterator[TrackingStore]:
        with closing(open_tracking(uri)) as store:
            yield store

    @pytest.fixture
    def reopen(self) -> Callable[[TrackingStore], TrackingStore]:
        return lambda store: open_tracking(store.uri)


class TestARegistryBehindAServer(RegistryStoreSuite):
    survives_reopen = True
    shared_between_processes = True

    @pytest.fixture
    def uri(self, serve: Callable[..., str], tmp_path_factory: pytest.TempPathFactory) -> str:
        return serve(f"sqlite:///{tmp_path_factory.mktemp('served')}/models.db")

    @pytest.fixture
    def store(self, uri: str) -> Iterator[RegistryStore]:
        with closing(open_registry(uri)) as store:
            yield store

    @pytest.fixture
    def reopen(self) -> Callable[[RegistryStore], RegistryStore]:
        return lambda store: open_registry(store.uri)


class TestPlugin(PluginSuite):
    module = "dovetail_http"
    heavy = ("urllib3", "ssl", "json")
