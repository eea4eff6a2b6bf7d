"""The sqlite registry is held to what every registry promises; it shares its file with the tracking store."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from dovetail.testing import RegistryStoreSuite
from dovetail.values import NewModelVersion
from dovetail_sqlite import open_sqlite, open_sqlite_registry

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from dovetail.registry.store import RegistryStore


class TestSqliteRegistry(RegistryStoreSuite):
    survives_reopen = True
    shared_between_processes = True

    @pytest.fixture
    def uri(self, tmp_path: Path) -> str:
        return f"sqlite:///{tmp_path}/dovetail.db"

    @pytest.fixture
    def store(self, uri: str) -> Iterator[RegistryStore]:
        with closing(open_sqlite_registry(uri)) as store:
            yield store

    @pytest.fixture
    def reopen(self) -> Callable[[RegistryStore], RegistryStore]:
        return lambda store: open_sqlite_registry(store.uri)


class TestSqliteRegistryInMemory(RegistryStoreSuite):
    @pytest.fixture
    def store(self) -> Iterator[RegistryStore]:
        with closing(open_sqlite_registry("sqlite://")) as store:
            yield store


class TestOneFile:
    def test_serves_runs_and_models(self, tmp_path: Path) -> None:
        uri = f"sqlite:///{tmp_path}/dovetail.db"
        with closing(open_sqlite_registry(uri)) as registry, closing(open_sqlite(uri)) as tracking:
            registry.create_registered_model("wine")
            experiment = tracking.create_experiment("wine")
            registry.create_model_version(NewModelVersion("wine", "models:/m-1"))
            assert tracking.get_experiment(experiment).name == "wine"
            assert registry.get_model_version("wine", 1).source == "models:/m-1"
        assert [path.name for path in tmp_path.iterdir()] == ["dovetail.db"]

    def test_may_be_made_by_either(self, tmp_path: Path) -> None:
        uri = f"sqlite:///{tmp_path}/dovetail.db"
        with closing(open_sqlite(uri)) as tracking:
            tracking.create_experiment("first")
        with closing(open_sqlite_registry(uri)) as registry:
            assert registry.create_registered_model("wine").name == "wine"


def test_moves_between_pages_of_a_history_do_not_disturb(tmp_path: Path) -> None:
    with closing(open_sqlite_registry(f"sqlite:///{tmp_path}/dovetail.db")) as store:
        store.create_registered_model("wine")
        for _ in range(2):
            store.create_model_version(NewModelVersion("wine", "models:/m-1"))
        for number in range(4):
            store.move_alias("wine", "champion", 1 + number % 2)
        before = list(store.get_history("wine"))
        page = store.get_history("wine", max_results=2)
        store.move_alias("wine", "champion", 1)
        assert [*page, *store.get_history("wine", max_results=2, page_token=page.token)] == before
