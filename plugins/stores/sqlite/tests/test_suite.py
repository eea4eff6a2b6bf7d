"""The sqlite store is held to what every tracking store promises, and its plugin to what every plugin does."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from dovetail.testing import PluginSuite, TrackingStoreSuite
from dovetail_sqlite import open_sqlite

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from dovetail.tracking.store import TrackingStore


class TestSqliteStore(TrackingStoreSuite):
    survives_reopen = True
    shared_between_processes = True

    @pytest.fixture
    def uri(self, tmp_path: Path) -> str:
        return f"sqlite:///{tmp_path}/dovetail.db"

    @pytest.fixture
    def store(self, uri: str) -> Iterator[TrackingStore]:
        with closing(open_sqlite(uri)) as store:
            yield store

    @pytest.fixture
    def reopen(self) -> Callable[[TrackingStore], TrackingStore]:
        return lambda store: open_sqlite(store.uri)


class TestSqliteStoreInMemory(TrackingStoreSuite):
    @pytest.fixture
    def store(self) -> Iterator[TrackingStore]:
        with closing(open_sqlite("sqlite://")) as store:
            yield store


class TestPlugin(PluginSuite):
    module = "dovetail_sqlite"
    heavy = ("sqlite3", "json")
