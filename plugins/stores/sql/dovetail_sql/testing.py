"""The suite that stores on shared databases are held to, beside the suite of their kind.

What it checks is what such engines have in common: first use, locks, lost connections, schemas that others made.
"""

from __future__ import annotations

import os
import re
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from typing import TYPE_CHECKING, Any, ClassVar

import pytest

from dovetail import plugins, uris
from dovetail.errors import (
    AlreadyExists,
    ForeignLayout,
    NotFound,
    SchemaTooNew,
    StoreError,
    StoreReadOnly,
    StoreUnavailable,
)
from dovetail.values import Batch, JournalMark, Metric, NewRun, Param, Tag
from dovetail_sql.migrations import Migration
from dovetail_sql.retrying import Unsure
from dovetail_sql.upkeep import upgraded

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from typing_extensions import Self

    from dovetail_sql.database import Transaction
    from dovetail_sql.store import SqlTrackingStore

__all__ = ["Relay", "SharedStoreSuite", "opened"]

_COMMIT = re.compile(rb"COMMIT(?!TED)")  # what a transaction ends with, not the name of an isolation level


class SharedStoreSuite:
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

        _together(lambda: work("a", "b"), lambda: work("b", "a"))
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

    # --- connections -----------------------------------------------------------------------------------------

    def test_connections_that_were_cut_are_made_again(self, store: SqlTrackingStore, cut: Callable[[], int]) -> None:
        """After a restart of the server, say, the next call works, whether it reads or writes."""
        store.create_run(NewRun("0", run_id="r1"))
        assert cut() > 0
        store.log_batch("r1", Batch(params=(Param("lr", "0.1"),)))
        assert cut() > 0
        assert dict(store.get_run("r1").data.params) == {"lr": "0.1"}

    def test_a_connection_cut_in_the_middle_is_made_again(
        self, store: SqlTrackingStore, uri: str, cut: Callable[[], int]
    ) -> None:
        """A method whose connection is cut while it waits for a lock begins again, and its work is done once."""
        store.create_run(NewRun("0", run_id="r1"))
        with closing(opened(uri)) as holder:
            released = threading.Event()

            def hold() -> None:
                with holder.database.write() as transaction:
                    transaction.first("run", {"run_id": "r1"})
                    time.sleep(0.5)
                    cut()
                    released.set()

            def log() -> None:
                time.sleep(0.2)
                store.log_batch("r1", Batch(metrics=(Metric("loss", 0.5),)), mark=JournalMark("w", 1))

            with pytest.raises(StoreUnavailable):  # of the holder, whose connection was cut as well
                _together(hold, log)
            assert released.is_set()
        assert [point.value for point in store.get_metric_history("r1", "loss")] == [0.5]
        assert store.applied("w") == 1

    def test_a_commit_without_an_answer_is_said_to_be_unsure(self, store: SqlTrackingStore, uri: str) -> None:
        """If the connection is lost while the server commits, what cannot be done twice is not tried again."""
        store.create_run(NewRun("0", run_id="r1"))
        with Relay(uri) as relay, closing(opened(relay.uri)) as other:
            other.get_run("r1")
            relay.hang_up_at_commit()
            with pytest.raises(Unsure, match="lost while it stored"):
                other.create_experiment("wine")
            relay.hang_up_at_commit()
            other.log_batch("r1", Batch(metrics=(Metric("loss", 0.5),)), mark=JournalMark("w", 1))
        assert [point.value for point in store.get_metric_history("r1", "loss")] == [0.5]

    def test_a_forked_child_has_connections_of_its_own(self, store: SqlTrackingStore) -> None:
        """A child logs to the same store, and neither its work nor its end disturbs its parent."""
        store.create_run(NewRun("0", run_id="r1"))
        with store.database.read() as transaction:
            child = os.fork()
            if child == 0:
                status = 1
                try:
                    store.log_batch("r1", Batch(tags=(Tag("child", "1"),)))
                    status = 0
                finally:
                    os._exit(status)
            assert os.waitpid(child, 0)[1] == 0
            assert transaction.first("run", {"run_id": "r1"}) is not None
        assert dict(store.get_run("r1").data.tags) == {"child": "1"}

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

        _together(*[upgrade] * 4)
        assert sql("SELECT version FROM schema_version") == [(version + 1,)]
        assert len([line for line in told if "upgrading" in line]) == 1
        assert sql("SELECT run_id, note FROM runs") == [("r1", None)]

    def test_a_newer_schema_is_refused(self, store: SqlTrackingStore, uri: str, sql: Any) -> None:
        """The message says what to upgrade."""
        store.get_experiment("0")
        sql("UPDATE schema_version SET version = 99")
        with closing(opened(uri)) as other, pytest.raises(SchemaTooNew, match="pip install --upgrade"):
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


class Relay:
    """A program between a store and its server that hangs up when it is told to.

    Args:
        uri: Of the store at the server.
    """

    def __init__(self, uri: str) -> None:
        head, _, tail = uri.partition("@")
        address, slash, rest = tail.partition("/")
        host, _, port = address.partition(":")
        self._server = (host, int(port))
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.uri = f"{head}@127.0.0.1:{self._listener.getsockname()[1]}{slash}{rest}"
        self._armed = False

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.close()

    def hang_up_at_commit(self) -> None:
        """Pass the next commit on, and give the client no answer but the end."""
        self._armed = True

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            server = socket.create_connection(self._server)
            for source, target in ((client, server), (server, client)):
                threading.Thread(target=self._pass_on, args=(source, target, client), daemon=True).start()

    def _pass_on(self, source: socket.socket, target: socket.socket, client: socket.socket) -> None:
        with source, target, suppress(OSError):  # whichever side leaves first
            while data := source.recv(65536):
                hang_up = self._armed and source is client and _COMMIT.search(data) is not None
                if hang_up:
                    self._armed = False
                    client.shutdown(socket.SHUT_RDWR)
                target.sendall(data)
                if hang_up:
                    time.sleep(0.2)  # long enough for the server to do it
                    return


def opened(uri: str) -> SqlTrackingStore:
    """The tracking store at a URI."""
    store: SqlTrackingStore = plugins.find("tracking_stores", uris.scheme_of(uri))(uri)
    return store


def _add_note(transaction: Transaction) -> None:
    transaction.execute("ALTER TABLE runs ADD COLUMN note VARCHAR(20)")


def _together(*works: Callable[[], None]) -> None:
    """Do all of it at the same time; what one raises is raised here."""
    with ThreadPoolExecutor(len(works)) as pool:
        for done in [pool.submit(work) for work in works]:
            done.result(timeout=60)
