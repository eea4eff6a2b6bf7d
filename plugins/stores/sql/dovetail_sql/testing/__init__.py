"""The suite that stores on shared databases are held to, beside the suite of their kind.

What it checks is what such engines have in common: first use, locks, lost connections, schemas that others made.
"""

from __future__ import annotations

import threading
import time
from contextlib import closing
from typing import TYPE_CHECKING, Any, ClassVar

import pytest

from dovetail.errors import (
    AlreadyExists,
    ForeignLayout,
    NotFound,
    SchemaTooNew,
    StoreError,
    StoreReadOnly,
    StoreUnavailable,
)
from dovetail.values import Batch, Metric, NewRun, Param, Tag
from dovetail_sql.migrations import Migration
from dovetail_sql.testing.connections import ConnectionStories, opened, together
from dovetail_sql.testing.relay import Relay
from dovetail_sql.upkeep import upgraded

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from dovetail_sql.database import Transaction
    from dovetail_sql.store import SqlTrackingStore

__all__ = ["Relay", "SharedStoreSuite", "opened"]


class SharedStoreSuite(ConnectionStories):
    """Stories about one database that several processes use; the fixtures are the plugin's.

    Attributes:
        reserved: A URI of a server that does not answer.
        other_tables: What makes the database one of MLflow's.
    """

    reserved: ClassVar[str] = ""
    other_tables: ClassVar[tuple[str, ...]] = (
        "CREATE TABLE experiments (experiment_id INTEGER)",
        "CREATE TABLE runs (run_uuid VARCHAR(32))",
        "CREATE TABLE alembic_version (version_num VARCHAR(32))",
    )

    @pytest.fixture
    def uri(self) -> str:
        """The URI of an empty database, with a host and port to connect to."""
        raise NotImplementedError

    @pytest.fixture
    def sql(self) -> Callable[[str], list[Any]]:
        """What executes a statement in that database, and returns the rows it answers with."""
        raise NotImplementedError

    @pytest.fixture
    def cut(self) -> Callable[[], int]:
        """What ends all connections to that database but those of the tests, and says how many there were."""
        raise NotImplementedError

    @pytest.fixture
    def raze(self) -> Callable[[], object]:
        """What takes all tables away from that database."""
        raise NotImplementedError

    @pytest.fixture
    def reader(self) -> str:
        """The URI of the database for a user who may only read it."""
        raise NotImplementedError

    @pytest.fixture
    def store(self, uri: str) -> Iterator[SqlTrackingStore]:
        """A store in it."""
        with closing(opened(uri)) as store:
            yield store

    # --- getting in ------------------------------------------------------------------------------------------

    def test_a_server_that_is_not_there_is_said_to_be(self) -> None:
        """Whoever cannot reach the server learns it soon, and which one it was."""
        began = time.monotonic()
        with (
            closing(opened(self.reserved)) as store,
            pytest.raises(StoreUnavailable, match="cannot be reached") as raised,
        ):
            store.get_experiment("0")
        assert time.monotonic() - began < 30
        assert "secret" not in str(raised.value)

    def test_the_password_is_in_no_message(self, uri: str) -> None:
        """Neither a refusal nor what objects say of themselves shows the password."""
        head, _, tail = uri.partition("://")
        wrong = f"{head}://nobody:s3cret%2F@{tail.partition('@')[2]}"
        with closing(opened(wrong)) as store:
            with pytest.raises(StoreError) as raised:
                store.get_experiment("0")
            texts = [str(raised.value), repr(store), repr(store.database), store.database.name]
        assert not isinstance(raised.value, StoreUnavailable)
        assert [text for text in texts if "s3cret" in text] == []

    def test_where_nothing_may_be_written_reading_works(self, store: SqlTrackingStore, reader: str) -> None:
        """A user without the right to write reads, and is told so when writing."""
        store.create_run(NewRun("0", run_id="r1"))
        with closing(opened(reader)) as other:
            assert other.get_run("r1").info.run_id == "r1"
            with pytest.raises(StoreReadOnly):
                other.log_batch("r1", Batch(tags=(Tag("a", "1"),)))
        assert dict(store.get_run("r1").data.tags) == {}

    # --- locks -----------------------------------------------------------------------------------------------

    def test_two_who_wait_for_each_other_both_succeed(self, store: SqlTrackingStore) -> None:
        """The server breaks off one of two transactions that wait for each other; it is run again."""
        for run_id in ("a", "b"):
            store.create_run(NewRun("0", run_id=run_id))
        both = threading.Barrier(2)
        attempts: list[str] = []

        def work(first: str, second: str) -> None:
            def attempt() -> None:
                attempts.append(first)
                with store.database.write() as transaction:
                    transaction.first("run", {"run_id": first})
                    if len(attempts) <= 2:
                        both.wait(timeout=30)
                    number = transaction.first("run", {"run_id": second})
                    assert number is not None
                    transaction.run("rename_run", {"id": number[0], "new_name": f"by {first}"})

            store.database.retry.call(attempt, repeatable=False)  # type: ignore[attr-defined]

        together(lambda: work("a", "b"), lambda: work("b", "a"))
        assert len(attempts) == 3
        assert {store.get_run(run_id).info.run_name for run_id in ("a", "b")} == {"by a", "by b"}

    def test_a_lock_that_is_not_let_go_is_given_up(self, uri: str, monkeypatch: pytest.MonkeyPatch) -> None:
        """After the busy timeout a writer gives up, and nothing of what it wanted is stored."""
        monkeypatch.setenv("DOVETAIL_BUSY_TIMEOUT", "1")
        with closing(opened(uri)) as store, closing(opened(uri)) as other:
            store.create_run(NewRun("0", run_id="r1"))
            with store.database.write() as transaction:
                transaction.first("run", {"run_id": "r1"})
                with pytest.raises(StoreUnavailable, match="DOVETAIL_BUSY_TIMEOUT"):
                    other.log_batch("r1", Batch(tags=(Tag("a", "1"),)))
            assert dict(store.get_run("r1").data.tags) == {}

    def test_readers_do_not_wait_for_writers(self, store: SqlTrackingStore, uri: str) -> None:
        """A reader sees what was committed, while a writer holds the run."""
        store.create_run(NewRun("0", run_id="r1", run_name="before"))
        with closing(opened(uri)) as other, store.database.write() as transaction:
            row = transaction.first("run", {"run_id": "r1"})
            assert row is not None
            transaction.run("rename_run", {"id": row[0], "new_name": "after"})
            assert other.get_run("r1").info.run_name == "before"

    def test_a_reading_transaction_sees_one_state(self, store: SqlTrackingStore, uri: str) -> None:
        """What others commit meanwhile does not show in the middle of it."""
        store.create_run(NewRun("0", run_id="r1", run_name="before"))
        with closing(opened(uri)) as other, store.database.read() as transaction:
            before = transaction.first("run", {"run_id": "r1"})
            other.update_run("r1", name="after")
            assert transaction.first("run", {"run_id": "r1"}) == before

    # --- the schema ------------------------------------------------------------------------------------------

    def test_an_older_schema_is_not_upgraded_by_the_way(self, store: SqlTrackingStore, uri: str, sql: Any) -> None:
        """Others may be working with it: the message says what to do, and nothing is changed."""
        store.get_experiment("0")
        sql("UPDATE schema_version SET version = 1")
        with closing(opened(uri)) as other, pytest.raises(StoreError, match="dovetail db upgrade"):
            other.get_experiment("0")
        assert sql("SELECT version FROM schema_version") == [(1,)]

    def test_an_upgrade_on_request_goes_all_steps(self, store: SqlTrackingStore, uri: str, sql: Any) -> None:
        """Of several that upgrade at once one does the work."""
        store.create_run(NewRun("0", run_id="r1"))
        (version,) = sql("SELECT version FROM schema_version")[0]
        steps = (Migration(version + 1, _add_note),)
        told: list[str] = []

        def upgrade() -> None:
            with closing(opened(uri)) as other:
                upgraded(other.database, told.append, version + 1, steps)

        together(*[upgrade] * 4)
        assert sql("SELECT version FROM schema_version") == [(version + 1,)]
        assert len([line for line in told if "upgrading" in line]) == 1
        assert sql("SELECT run_id, note FROM runs") == [("r1", None)]

    def test_a_newer_schema_is_refused(self, store: SqlTrackingStore, uri: str, sql: Any) -> None:
        """The message says what to upgrade."""
        store.get_experiment("0")
        sql("UPDATE schema_version SET version = 99")
        with closing(opened(uri)) as other, pytest.raises(SchemaTooNew, match="A newer dovetail wrote it: upgrade"):
            other.get_experiment("0")

    def test_a_database_of_mlflow_is_left_as_it_is(self, uri: str, sql: Any) -> None:
        """Neither looking nor using nor upgrading changes it."""
        for text in self.other_tables:
            sql(text)
        with closing(opened(uri)) as store:
            for attempt in (lambda: store.get_experiment("0"), store.check_schema, lambda: store.upgrade_schema(print)):
                with pytest.raises(ForeignLayout, match="MLflow"):
                    attempt()
        assert sql("SELECT * FROM experiments") == []

    def test_looking_makes_nothing(self, store: SqlTrackingStore) -> None:
        """``check_schema`` of an empty database finds version 0 and leaves it empty."""
        assert store.check_schema().version == 0
        assert store.check_schema().version == 0
        store.get_experiment("0")
        report = store.check_schema()
        assert (report.version, report.pending, report.faults) == (report.newest, (), ())

    def test_keys_of_other_tables_are_forgotten(
        self, store: SqlTrackingStore, uri: str, raze: Callable[[], object]
    ) -> None:
        """Where tables are made anew under a process, the numbers it knows stand for other names."""
        store.create_run(NewRun("0", run_id="r1"))
        store.log_batch("r1", Batch(metrics=(Metric("loss", 1.0),), params=(Param("lr", "1"),)))
        raze()
        with closing(opened(uri)) as other:
            other.create_run(NewRun("0", run_id="r2"))
            other.log_batch("r2", Batch(metrics=(Metric("accuracy", 1.0),), params=(Param("solver", "adam"),)))
            store.log_batch("r2", Batch(metrics=(Metric("loss", 7.0),), params=(Param("lr", "7"),)))
            data = other.get_run("r2").data
        assert dict(data.metrics) == {"accuracy": 1.0, "loss": 7.0}
        assert dict(data.params) == {"solver": "adam", "lr": "7"}
        assert dict(store.get_run("r2").data.metrics) == {"accuracy": 1.0, "loss": 7.0}

    def test_a_database_that_lost_its_tables_is_not_begun_anew(
        self, store: SqlTrackingStore, uri: str, raze: Callable[[], object], sql: Any
    ) -> None:
        """A process that worked with it says so, and makes no empty tables that a backup would then collide with."""
        store.create_run(NewRun("0", run_id="r1"))
        raze()
        for _ in range(2):
            with pytest.raises(StoreUnavailable, match="lost its tables"):
                store.create_run(NewRun("0", run_id="r2"))
        with closing(opened(uri)) as other:
            other.create_run(NewRun("0", run_id="r3"))
        assert store.get_run("r3").info.run_id == "r3"
        assert sql("SELECT run_id FROM runs") == [("r3",)]

    def test_a_missing_table_is_said_to_be(self, store: SqlTrackingStore, sql: Any) -> None:
        """What needs it fails soon, and says what to do."""
        store.create_run(NewRun("0", run_id="r1"))
        sql("DROP TABLE latest_metric")
        began = time.monotonic()
        with pytest.raises(StoreUnavailable, match="dovetail db check"):
            store.get_run("r1")
        assert time.monotonic() - began < 5

    def test_a_missing_table_is_found(self, store: SqlTrackingStore, sql: Any) -> None:
        """``check_schema`` names what is not there."""
        store.get_experiment("0")
        sql("DROP TABLE input_tags")
        assert store.check_schema().faults == ("the table input_tags is missing",)

    # --- artifacts -------------------------------------------------------------------------------------------

    def test_the_place_of_artifacts_is_kept(
        self, store: SqlTrackingStore, uri: str, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """An experiment's artifacts lie where they did when it was created, whoever asks from wherever."""
        one = store.get_experiment(store.create_experiment("wine")).artifact_location
        monkeypatch.chdir(tmp_path)
        monkeypatch.setenv("DOVETAIL_ARTIFACT_ROOT", "s3://bucket/root")
        with closing(opened(uri)) as other:
            found = other.get_experiment_by_name("wine")
            assert found is not None
            assert found.artifact_location == one
            new = other.create_experiment("beer")
        with pytest.raises(AlreadyExists):
            store.create_experiment("beer")
        assert store.get_experiment(new).artifact_location == f"s3://bucket/root/{new}"
        with pytest.raises(NotFound):
            store.get_experiment("99")


def _add_note(transaction: Transaction) -> None:
    transaction.execute("ALTER TABLE runs ADD COLUMN note VARCHAR(20)")
