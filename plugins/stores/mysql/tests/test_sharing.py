"""The MySQL store is held to what every store on a shared database promises."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from dovetail.errors import ForeignLayout, StoreError
from dovetail.values import NewRun
from dovetail_mysql import open_mysql
from dovetail_sql.testing import SharedStoreSuite

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from dovetail_sql.store import SqlTrackingStore


@pytest.fixture
def store(uri: str) -> Iterator[SqlTrackingStore]:
    with closing(open_mysql(uri)) as store:
        yield store


class TestMysqlStore(SharedStoreSuite):
    reserved = "mysql://me:secret@127.0.0.1:1/dovetail"

    @pytest.fixture
    def store(self, store: SqlTrackingStore) -> SqlTrackingStore:
        return store

    @pytest.fixture
    def uri(self, uri: str) -> str:
        return uri

    @pytest.fixture
    def sql(self, sql: Callable[[str], list[Any]]) -> Callable[[str], list[Any]]:
        return sql

    @pytest.fixture
    def cut(self, sql: Callable[[str], list[Any]]) -> Callable[[], int]:
        def cut() -> int:
            others = "SELECT id FROM information_schema.processlist WHERE db = DATABASE() AND id <> CONNECTION_ID()"
            numbers = [number for (number,) in sql(others)]
            for number in numbers:
                sql(f"KILL {number}")
            return len(numbers)

        return cut

    @pytest.fixture
    def reader(self, uri: str, database: str, sql: Callable[[str], list[Any]]) -> Iterator[str]:
        name = f"r{database}"
        sql(f"CREATE USER {name} IDENTIFIED BY 'x'")
        sql(f"GRANT SELECT ON {database}.* TO {name}")
        yield f"mysql://{name}:x@{uri.rpartition('@')[2]}"
        sql(f"DROP USER {name}")


class TestHalfMade:
    """Tables are not made in transactions, so a process that is killed leaves some of them."""

    @pytest.fixture
    def killed_after(self, uri: str, sql: Callable[[str], list[Any]]) -> Callable[[int], None]:
        def make(count: int) -> None:
            store = open_mysql(uri)
            with store.database.plain():  # asks the server what it is
                pass
            for text in store.database.definitions()[:count]:
                sql(text)
            store.close()

        return make

    @pytest.mark.parametrize("count", [1, 2, 5, 11, 1000])
    def test_the_next_process_finishes_it(
        self, uri: str, count: int, killed_after: Callable[[int], None], sql: Callable[[str], list[Any]]
    ) -> None:
        killed_after(count)
        store: SqlTrackingStore = open_mysql(uri)
        assert store.check_schema().version == 0
        store.create_run(NewRun("0", run_id="r1"))
        assert sql("SELECT id, name FROM experiments") == [(0, "Default")]
        assert store.check_schema().faults == ()

    def test_what_holds_data_is_never_made_again(
        self, store: SqlTrackingStore, uri: str, sql: Callable[[str], list[Any]]
    ) -> None:
        store.create_run(NewRun("0", run_id="r1"))
        sql("DELETE FROM schema_version")
        with pytest.raises(StoreError, match="lost its schema version"):
            open_mysql(uri).get_experiment("0")
        assert sql("SELECT run_id FROM runs") == [("r1",)]

    def test_tables_of_others_are_never_taken_for_it(self, uri: str, sql: Callable[[str], list[Any]]) -> None:
        sql("CREATE TABLE runs (id INTEGER)")
        sql("CREATE TABLE customers (id INTEGER)")
        with pytest.raises(ForeignLayout):
            open_mysql(uri).get_experiment("0")
