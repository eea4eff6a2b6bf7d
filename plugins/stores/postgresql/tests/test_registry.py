"""The PostgreSQL registry is held to what every registry promises."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from dovetail.testing import RegistryStoreSuite
from dovetail_postgresql import open_postgresql_registry

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from dovetail.registry.store import RegistryStore


class TestPostgresqlRegistry(RegistryStoreSuite):
    survives_reopen = True
    shared_between_processes = True

    @pytest.fixture
    def uri(self, uri: str) -> str:
        return uri

    @pytest.fixture
    def store(self, uri: str) -> Iterator[RegistryStore]:
        with closing(open_postgresql_registry(uri)) as store:
            yield store

    @pytest.fixture
    def reopen(self) -> Callable[[RegistryStore], RegistryStore]:
        return lambda store: open_postgresql_registry(store.uri)
