"""Stories about connections to a shared database that are lost."""

from __future__ import annotations

import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from dovetail import plugins, uris
from dovetail.errors import ParamConflict, StoreUnavailable
from dovetail.values import Batch, Ending, JournalMark, LogEntry, Metric, NewRun, Param, Tag
from dovetail_sql.retrying import Unsure
from dovetail_sql.testing.relay import Relay

if TYPE_CHECKING:
    from collections.abc import Callable

    from dovetail_sql.store import SqlTrackingStore

__all__ = ["ConnectionStories", "opened", "together"]


class ConnectionStories:
    """What becomes of calls whose connection goes away; the fixtures are those of ``SharedStoreSuite``."""

    def test_connections_that_were_cut_are_made_again(self, store: SqlTrackingStore, cut: Callable[[], int]) -> None:
        """After a restart of the server, say, the next call works, whether it reads or writes."""
        store.create_run(NewRun("0", run_id="r1"))
        assert cut() > 0
        store.log_batch("r1", Batch(params=(Param("lr", "0.1"),)))
        assert cut() > 0
        assert dict(store.get_run("r1").data.params) == {"lr": "0.1"}

    def test_of_many_connections_that_were_cut_none_is_waited_for(
        self, store: SqlTrackingStore, cut: Callable[[], int]
    ) -> None:
        """One that turns out to be lost says the same of all others: the next call takes no longer than any first."""
        store.create_run(NewRun("0", run_id="r1"))
        all_held = threading.Barrier(12)
        together(*[lambda: _held(store, all_held)] * 12)
        assert cut() >= 12
        began = time.monotonic()
        store.log_batch("r1", Batch(params=(Param("lr", "0.1"),)))
        assert time.monotonic() - began < 1.5

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
                together(hold, log)
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

    def test_a_group_whose_commit_had_no_answer_is_stored_once(self, store: SqlTrackingStore, uri: str) -> None:
        """It is begun anew: what came from journals is told apart by its marks, and the rest may be done twice."""
        for run_id in ("r1", "r2"):
            store.create_run(NewRun("0", run_id=run_id))
        refused = Batch(metrics=(Metric("loss", 1.0),), params=(Param("lr", "2"),))
        entries = [
            LogEntry("r1", Batch(metrics=(Metric("loss", 0.5),), end=Ending("FINISHED", 5)), JournalMark("w", 1)),
            LogEntry("r2", Batch(metrics=(Metric("loss", 0.5),), params=(Param("lr", "1"),))),
            LogEntry("r2", refused),
        ]
        with Relay(uri) as relay, closing(opened(relay.uri)) as other:
            other.get_run("r1")
            relay.hang_up_at_commit()
            answers = other.log_batches(entries)
            assert relay.done
        assert [type(answer) for answer in answers] == [type(None), type(None), ParamConflict]
        for run_id in ("r1", "r2"):
            assert [point.value for point in store.get_metric_history(run_id, "loss")] == [0.5]

    def test_what_takes_many_transactions_outlasts_many_losses(self, uri: str, monkeypatch: pytest.MonkeyPatch) -> None:
        """Patience begins anew with each transaction of a purge: those before it are done."""
        monkeypatch.setenv("DOVETAIL_BUSY_TIMEOUT", "1")
        with Relay(uri) as relay, closing(opened(relay.uri)) as store:
            store.create_run(NewRun("0", run_id="r1"))
            points = tuple(Metric("loss", 0.5, timestamp=number, step=number) for number in range(10_001))
            store.log_batch("r1", Batch(metrics=points))
            store.delete_run("r1")
            (item,) = store.discarded()
            assert store.condemn(item)
            relay.hang_up_before(rb"DELETE FROM metric_points")
            relay.hang_up_before(rb"DELETE FROM runs", after=1.2)
            assert store.purge(item)
            assert relay.done
            assert store.discarded() == []

    def test_a_history_is_sealed_though_the_connection_is_lost(
        self, uri: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        """What goes on behind a call that was done begins again by itself."""
        with Relay(uri) as relay, closing(opened(relay.uri)) as store:
            store.create_run(NewRun("0", run_id="r1"))
            points = tuple(Metric("loss", 0.5, timestamp=number, step=number) for number in range(100))
            store.log_batch("r1", Batch(metrics=points))
            relay.hang_up_before(rb"INSERT INTO metric_blocks")
            store.update_run("r1", status="FINISHED")
            assert relay.done
            with store.database.read() as transaction:
                assert transaction.rows("small_blocks", {"run": 1, "size": 4096})
        assert "stays in rows" not in caplog.text

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


def opened(uri: str) -> SqlTrackingStore:
    """The tracking store at a URI."""
    store: SqlTrackingStore = plugins.find("tracking_stores", uris.scheme_of(uri))(uri)
    return store


def together(*works: Callable[[], None]) -> None:
    """Do all of it at the same time; what one raises is raised here."""
    with ThreadPoolExecutor(len(works)) as pool:
        for done in [pool.submit(work) for work in works]:
            done.result(timeout=60)


def _held(store: SqlTrackingStore, all_held: threading.Barrier) -> None:
    """Keep a connection until all have one."""
    with store.database.read():
        all_held.wait(timeout=30)
