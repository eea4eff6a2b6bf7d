"""The MySQL store is held to what every tracking store promises, and its plugin to what every plugin does."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from dovetail.testing import PluginSuite, TrackingStoreSuite
from dovetail_mysql import open_mysql

if TYPE_CHECKING:
    from collections.abc import Callable

    from dovetail.tracking.store import TrackingStore


class TestMysqlStore(TrackingStoreSuite):
    survives_reopen = True
    shared_between_processes = True

    @pytest.fixture
    def uri(self, uri: str) -> str:
        return uri

    @pytest.fixture
    def store(self, fresh: TrackingStore) -> TrackingStore:
        return fresh

    @pytest.fixture
    def reopen(self) -> Callable[[TrackingStore], TrackingStore]:
        return lambda store: open_mysql(store.uri)


class TestPlugin(PluginSuite):
    module = "dovetail_mysql"
    heavy = ("pymysql", "json")
