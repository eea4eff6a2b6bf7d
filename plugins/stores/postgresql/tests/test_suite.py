"""The PostgreSQL store is held to what every tracking store promises, and its plugin to what every plugin does."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from dovetail.testing import PluginSuite, TrackingStoreSuite
from dovetail_postgresql import open_postgresql

if TYPE_CHECKING:
    from collections.abc import Callable

    from dovetail.tracking.store import TrackingStore


class TestPostgresqlStore(TrackingStoreSuite):
    survives_reopen = True
    shared_between_processes = True

    @pytest.fixture
    def uri(self, uri: str) -> str:
        return uri

    @pytest.fixture
    def store(self, store: TrackingStore) -> TrackingStore:
        return store

    @pytest.fixture
    def reopen(self) -> Callable[[TrackingStore], TrackingStore]:
        return lambda store: open_postgresql(store.uri)


class TestPlugin(PluginSuite):
    module = "dovetail_postgresql"
    heavy = ("psycopg", "json")
