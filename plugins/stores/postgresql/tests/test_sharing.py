"""The PostgreSQL store is held to what every store on a shared database promises."""

from __future__ import annotations

import threading
import time
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from dovetail.errors import InvalidUri, StoreUnavailable
from dovetail.values import Batch, Metric, NewRun, Param
from dovetail_postgresql import open_postgresql
from dovetail_sql.testing import SharedStoreSuite

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import psycopg

    from dovetail_sql.store import SqlTrackingStore

READER = "dovetail_reader"


class TestPostgresqlStore(SharedStoreSuite):
    reserved = "postgresql://me:secret@127.0.0.1:1/dovetail"

    @pytest.fixture
    def uri(self, uri: str) -> str:
        return uri

    @pytest.fixture
    def store(self, store: SqlTrackingStore) -> SqlTrackingStore:
        return store

    @pytest.fixture
    def sql(self, server: psycopg.Connection, schema: str) -> Callable[[str], list[Any]]:
        def execute(text: str) -> list[Any]:
            server.execute(f"SET search_path TO {schema}")
            cursor = server.execute(text)
            return cursor.fetchall() if cursor.description else []

        return execute

    @pytest.fixture
    def cut(self, server: psycopg.Connection, schema: str) -> Callable[[], int]:
        text = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = %s"
        return lambda: len(server.execute(text, [schema]).fetchall())

    @pytest.fixture
    def raze(self, server: psycopg.Connection, schema: str) -> Callable[[], object]:
        return lambda: server.execute(f"DROP SCHEMA {schema} CASCADE; CREATE SCHEMA {schema}")

    @pytest.fixture
    def reader(self, uri: str, server: psycopg.Connection, schema: str, store: SqlTrackingStore) -> Iterator[str]:
        store.get_experiment("0")
        name = f"{READER}_{schema}"
        server.execute(f"CREATE ROLE {name} LOGIN PASSWORD 'x'")
        server.execute(f"GRANT USAGE ON SCHEMA {schema} TO {name}")
        server.execute(f"GRANT SELECT ON ALL TABLES IN SCHEMA {schema} TO {name}")
        yield f"postgresql://{name}:x@{uri.rpartition('@')[2]}"
        server.execute(f"DROP OWNED BY {name}")
        server.execute(f"DROP ROLE {name}")


def wait_for_a_waiter(server: psycopg.Connection) -> None:
    """Wait until somebody waits for a table."""
    waiters = "SELECT count(*) FROM pg_locks WHERE relation = 'runs'::regclass AND NOT granted"
    deadline = time.monotonic() + 30
    while server.execute(waiters).fetchone() == (0,):
        assert time.monotonic() < deadline
        time.sleep(0.01)


class TestUpgrade:
    """Whoever waits for another transaction, which waits for it in turn, may be broken off by the server."""

    def test_an_upgrade_that_is_in_the_way_of_a_writer_begins_again(
        self, store: SqlTrackingStore, server: psycopg.Connection, schema: str
    ) -> None:
        store.create_run(NewRun("0", run_id="r1"))
        server.execute(f"SET search_path TO {schema}")
        with server.transaction():
            # The upgrade locks one table after the other, in the order of their names.
            server.execute("UPDATE runs SET name = 'mine'")
            upgrading = threading.Thread(target=store.upgrade_schema, args=(print,))
            upgrading.start()
            wait_for_a_waiter(server)
            # Who waited first notices first, after the server's deadlock_timeout.
            server.execute("UPDATE experiments SET name = 'Mine'")
        upgrading.join(timeout=30)
        assert not upgrading.is_alive()
        assert store.get_run("r1").info.run_name == "mine"

    def test_a_transaction_that_was_broken_off_is_not_called_a_lock(
        self, store: SqlTrackingStore, server: psycopg.Connection, schema: str
    ) -> None:
        """Nobody waits for longer because of it."""
        store.create_run(NewRun("0", run_id="r1"))
        server.execute(f"SET search_path TO {schema}")
        failures: list[Exception] = []

        def upgrade() -> None:
            try:
                with store.database.exclusive():
                    pass
            except StoreUnavailable as failure:
                failures.append(failure)

        with server.transaction():
            server.execute("UPDATE runs SET name = 'mine'")
            upgrading = threading.Thread(target=upgrade)
            upgrading.start()
            wait_for_a_waiter(server)
            server.execute("UPDATE experiments SET name = 'Mine'")
        upgrading.join(timeout=30)
        assert ["broke off" in str(failure) for failure in failures] == [True]
        assert "BUSY_TIMEOUT" not in str(failures[0])


class TestParameters:
    """What stands behind the question mark of a URI."""

    def test_those_that_change_nothing_do_no_harm(self, uri: str) -> None:
        with closing(open_postgresql(f"{uri}&client_encoding=utf8&prepare_threshold=0")) as store:
            for _ in range(3):
                assert store.get_experiment("0").name == "Default"

    @pytest.mark.parametrize("parameter", ["connect_timeout=soon", "host=a..b"])
    def test_those_that_cannot_be_used_are_said_to_be(self, uri: str, parameter: str) -> None:
        with closing(open_postgresql(f"{uri}&{parameter}")) as store, pytest.raises(InvalidUri, match="connected to"):
            store.get_experiment("0")


class TestTransactionPool:
    """Between us and the server may be what gives each transaction another connection to it, such as PgBouncer."""

    @pytest.fixture
    def store(self, uri: str) -> Iterator[SqlTrackingStore]:
        with closing(open_postgresql(f"{uri}&prepare_threshold=none")) as store:
            yield store

    def test_no_statement_is_prepared(self, store: SqlTrackingStore) -> None:
        store.create_run(NewRun("0", run_id="r1"))
        for number in range(20):
            store.log_batch("r1", Batch(metrics=(Metric("loss", 1.0, step=number),), params=(Param("lr", "1"),)))
            store.get_run("r1")
        with store.database.read() as transaction:
            count = transaction.session.execute("SELECT count(*) FROM pg_prepared_statements").fetchone()  # type: ignore[attr-defined]
        assert count == (0,)

    def test_every_transaction_brings_its_settings_and_leaves_none(self, store: SqlTrackingStore) -> None:
        show = "SELECT current_setting('lock_timeout'), current_setting('jit')"
        with store.database.write() as transaction:
            session = transaction.session  # type: ignore[attr-defined]
            assert session.execute(show).fetchone() == ("1min", "off")
        before = session.execute(show).fetchone()
        session.execute("DISCARD ALL")
        assert session.execute(show).fetchone() == before
