"""The MySQL registry is held to what every registry promises."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from dovetail.testing import RegistryStoreSuite
from dovetail_mysql import open_mysql_registry

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from dovetail.registry.store import RegistryStore
    from dovetail.tracking.store import TrackingStore


class TestMysqlRegistry(RegistryStoreSuite):
    survives_reopen = True
    shared_between_processes = True

    @pytest.fixture
    def uri(self, uri: str) -> str:
        return uri

    @pytest.fixture
    def store(self, fresh: TrackingStore) -> Iterator[RegistryStore]:
        with closing(open_mysql_registry(fresh.uri)) as store:
            yield store

    @pytest.fixture
    def reopen(self) -> Callable[[RegistryStore], RegistryStore]:
        return lambda store: open_mysql_registry(store.uri)
