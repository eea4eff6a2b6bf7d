"""The MySQL store is held to what every store on a shared database promises."""

from __future__ import annotations

import time
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from dovetail.errors import ForeignLayout, InvalidInput, InvalidUri, StoreError, StoreUnavailable
from dovetail.values import Batch, Dataset, DatasetInput, Metric, NewRun, Param, Tag
from dovetail_mysql import open_mysql
from dovetail_sql.tables import metadata
from dovetail_sql.testing import SharedStoreSuite

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import pymysql

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
    def raze(self, sql: Callable[[str], list[Any]]) -> Callable[[], object]:
        def raze() -> None:
            sql("SET SESSION foreign_key_checks = 0")
            for (name,) in sql("SHOW TABLES"):
                sql(f"DROP TABLE `{name}`")
            sql("SET SESSION foreign_key_checks = 1")

        return raze

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

    @pytest.mark.parametrize(
        "others",
        [
            ["CREATE TABLE runs (their_column INTEGER PRIMARY KEY)", "CREATE TABLE tag (id INTEGER, label TEXT)"],
            ["CREATE TABLE journal_writers (name TEXT)"],
            ["CREATE TABLE journal_writers (writer VARCHAR(64), seq BIGINT)", "CREATE TABLE runs (id INTEGER)"],
            ["CREATE VIEW runs AS SELECT 1 AS id"],
        ],
    )
    def test_empty_tables_of_others_with_names_of_ours_stay(
        self, uri: str, others: list[str], sql: Callable[[str], list[Any]]
    ) -> None:
        """To be empty and called ``runs`` makes a table nobody's but its maker's."""
        for text in others:
            sql(text)
        before = sql("SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = DATABASE()")
        for attempt in (open_mysql(uri).check_schema, lambda: open_mysql(uri).get_experiment("0")):
            with pytest.raises(ForeignLayout):
                attempt()
        now = sql("SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = DATABASE()")
        assert now == before

    def test_who_is_killed_while_taking_them_away_leaves_them_recognisable(
        self, uri: str, killed_after: Callable[[int], None], sql: Callable[[str], list[Any]]
    ) -> None:
        """Of the tables that remain, the one that says whose they are is the last."""
        killed_after(1000)
        for table in reversed(metadata.sorted_tables):
            if table.name != "journal_writers":
                sql(f"DROP TABLE `{table.name}`")
                with closing(open_mysql(uri)) as store:
                    assert store.check_schema().version == 0

    def test_a_connection_that_could_not_finish_checks_references_like_others(
        self,
        uri: str,
        killed_after: Callable[[int], None],
        sql: Callable[[str], list[Any]],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setenv("DOVETAIL_BUSY_TIMEOUT", "1")
        killed_after(1000)
        store = open_mysql(uri)
        sql("START TRANSACTION")
        sql("SELECT * FROM runs")
        with pytest.raises(StoreUnavailable):
            store.get_experiment("0")
        sql("ROLLBACK")
        with store.database.plain() as transaction:
            checks = transaction.session.execute("SELECT @@foreign_key_checks").fetchone()  # type: ignore[attr-defined]
        assert checks == (1,)
        assert store.get_experiment("0").name == "Default"

    def test_tables_of_others_are_never_taken_for_it(self, uri: str, sql: Callable[[str], list[Any]]) -> None:
        sql("CREATE TABLE runs (id INTEGER)")
        sql("CREATE TABLE customers (id INTEGER)")
        with pytest.raises(ForeignLayout):
            open_mysql(uri).get_experiment("0")


class TestMadeAnew:
    """A database that its owner drops and creates, or puts back from a dump, under a process that uses it."""

    def test_a_dropped_database_is_found_again(
        self, store: SqlTrackingStore, uri: str, database: str, server: pymysql.Connection
    ) -> None:
        """The server takes it from under the connection, which stays."""
        store.create_run(NewRun("0", run_id="r1"))
        with server.cursor() as cursor:
            cursor.execute(f"DROP DATABASE {database}")
            for _ in range(2):
                with pytest.raises(StoreError, match="Unknown database"):
                    store.get_run("r1")
            cursor.execute(f"CREATE DATABASE {database} CHARACTER SET latin1")
        with closing(open_mysql(uri)) as other:
            other.create_run(NewRun("0", run_id="r2"))
        store.log_batch("r2", Batch(params=(Param("lr", "1"),)))
        assert dict(store.get_run("r2").data.params) == {"lr": "1"}

    def test_a_dump_put_back_has_keys_of_its_own(
        self, store: SqlTrackingStore, sql: Callable[[str], list[Any]]
    ) -> None:
        """Its first row is the same as before; when its tables were made is not."""
        store.create_run(NewRun("0", run_id="r1"))
        store.log_batch("r1", Batch(params=(Param("lr", "1"), Param("solver", "adam"))))
        time.sleep(1.1)  # the server notes the second
        sql("SET SESSION foreign_key_checks = 0")
        (made,) = [text for text in store.database.definitions() if text.startswith("CREATE TABLE `keys`")]
        sql("DROP TABLE `keys`")
        sql(made)
        sql("INSERT INTO `keys` (id, name) VALUES (1, 'solver'), (2, 'lr')")
        sql("SET SESSION foreign_key_checks = 1")
        store.log_batch("r1", Batch(metrics=(Metric("lr", 0.5),)))
        assert dict(store.get_run("r1").data.metrics) == {"lr": 0.5}
        assert sql("SELECT `key` FROM latest_metric") == [(2,)]


class TestStatementsTooLong:
    """The server hangs up on statements that are longer than ``max_allowed_packet``."""

    def test_a_value_that_is_too_large_is_refused_at_once(
        self, store: SqlTrackingStore, sql: Callable[[str], list[Any]]
    ) -> None:
        store.create_run(NewRun("0", run_id="r1"))
        ((most,),) = sql("SELECT @@max_allowed_packet")
        dataset = Dataset("d", "x", "local", "s", None, "é" * (most // 2))
        began = time.monotonic()
        with pytest.raises(InvalidInput, match="max_allowed_packet"):
            store.log_inputs("r1", [DatasetInput(dataset)])
        assert time.monotonic() - began < 5
        store.log_batch("r1", Batch(tags=(Tag("a", "1"),)))
        assert dict(store.get_run("r1").data.tags) == {"a": "1"}


class TestParameters:
    """What stands behind the question mark of a URI."""

    def test_those_that_change_nothing_do_no_harm(self, uri: str) -> None:
        with closing(open_mysql(f"{uri}?charset=utf8mb4&connect_timeout=5")) as store:
            assert store.get_experiment("0").name == "Default"

    @pytest.mark.parametrize("parameter", ["ssl_ca=/no/such/file", "connect_timeout=0", "host=a..b"])
    def test_those_that_cannot_be_used_are_said_to_be(self, uri: str, parameter: str) -> None:
        with closing(open_mysql(f"{uri}?{parameter}")) as store, pytest.raises(InvalidUri, match="connected to"):
            store.get_experiment("0")
