"""Writing without waiting for anybody, and what is put off so that nobody waits for it."""

from __future__ import annotations

import sqlite3
import threading
import time
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

import dovetail
from dovetail import posix
from dovetail.errors import StoreUnavailable
from dovetail.tracking import places
from dovetail.values import Batch, Ending, Metric, NewRun, Tag
from dovetail.values.measure import MetricColumns
from dovetail_sql.store import SqlTrackingStore
from dovetail_sqlite import open_sqlite
from dovetail_sqlite.file import LONG_LOG, MANY
from dovetail_sqlite.opening import open_database

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from dovetail.tracking.store import TrackingStore

TAGGED = Batch(tags=(Tag("a", "b"),))


@pytest.fixture(autouse=True)
def near(tmp_path: Path) -> None:
    """Elsewhere nobody promises it, and what is put off is brought in by whoever commits."""
    if not posix.can_map(tmp_path):
        pytest.skip("whether files lie on this machine is known on Linux alone")


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[TrackingStore]:
    """A store that waits 20 seconds for others."""
    monkeypatch.setenv("DOVETAIL_BUSY_TIMEOUT", "20")
    made = open_sqlite(f"sqlite:///{tmp_path}/store.db")
    yield made
    made.close()


@pytest.fixture
def run_id(store: TrackingStore) -> str:
    return store.create_run(NewRun("0")).info.run_id


@pytest.fixture
def other(tmp_path: Path, run_id: str) -> Iterator[sqlite3.Connection]:
    """Somebody else's connection to the same file."""
    with closing(sqlite3.connect(tmp_path / "store.db", isolation_level=None, check_same_thread=False)) as raw:
        yield raw


def log_at_once(store: TrackingStore, run_id: str) -> float:
    """Log a tag at once; how many seconds that took, and that it was refused is raised."""
    begin, hurry = time.monotonic(), store.at_once()
    assert hurry is not None
    try:
        with hurry:
            store.log_batch(run_id, TAGGED)
    finally:
        assert time.monotonic() - begin < 5
    return time.monotonic() - begin


class TestAtOnce:
    def test_is_as_usual_where_nobody_is_in_the_way(self, store: TrackingStore, run_id: str) -> None:
        log_at_once(store, run_id)
        assert store.get_run(run_id).data.tags["a"] == "b"

    def test_another_process_is_not_waited_for(
        self, store: TrackingStore, run_id: str, other: sqlite3.Connection
    ) -> None:
        other.execute("BEGIN IMMEDIATE")
        for _ in range(2):
            with pytest.raises(StoreUnavailable):
                log_at_once(store, run_id)
        other.execute("COMMIT")
        log_at_once(store, run_id)
        assert store.get_run(run_id).data.tags["a"] == "b"

    def test_another_thread_is_not_waited_for(self, tmp_path: Path) -> None:
        database = open_database(tmp_path / "store.db")
        store = SqlTrackingStore(database)
        run_id, inside, enough = store.create_run(NewRun("0")).info.run_id, threading.Event(), threading.Event()

        def write() -> None:
            with database.write():
                inside.set()
                enough.wait(20)

        thread = threading.Thread(target=write)
        thread.start()
        inside.wait(20)
        with pytest.raises(StoreUnavailable):
            log_at_once(store, run_id)
        enough.set()
        thread.join()
        log_at_once(store, run_id)

    def test_everything_else_waits_as_before(
        self, store: TrackingStore, run_id: str, other: sqlite3.Connection
    ) -> None:
        """In the same thread, behind the block, on the same connection."""
        log_at_once(store, run_id)
        for call in (lambda: store.log_batch(run_id, TAGGED), lambda: store.create_run(NewRun("0"))):
            other.execute("BEGIN IMMEDIATE")
            later = threading.Timer(0.5, other.execute, ("COMMIT",))
            later.start()
            begin = time.monotonic()
            call()
            later.join()
            assert time.monotonic() - begin > 0.3

    def test_other_threads_wait_meanwhile(self, store: TrackingStore, run_id: str, other: sqlite3.Connection) -> None:
        hurry, done = store.at_once(), threading.Event()
        assert hurry is not None
        with hurry:
            other.execute("BEGIN IMMEDIATE")
            patient = threading.Thread(target=lambda: (store.log_batch(run_id, TAGGED), done.set()))
            patient.start()
            assert not done.wait(0.5)
            other.execute("COMMIT")
            assert done.wait(10)
        patient.join()

    def test_nobody_promises_it_for_a_file_on_a_network(
        self, store: TrackingStore, run_id: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        del run_id
        monkeypatch.setattr(posix, "can_map", lambda folder: False)
        assert store.at_once() is None
        with closing(open_sqlite("sqlite://")) as fleeting:
            assert fleeting.at_once() is None


class TestAStoreThatIsLocked:
    def test_keeps_no_end_of_a_run_waiting_longer_than_is_set(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """However long others are waited for otherwise; what was logged comes in later, and so does the end."""
        monkeypatch.setenv("DOVETAIL_DRAIN_TIMEOUT", "0.5")
        dovetail.set_tracking_uri(f"sqlite:///{tmp_path}/mine.db")
        with dovetail.start_run():
            dovetail.log_param("warm", "up")
        run = dovetail.start_run()
        dovetail.log_param("lr", "0.1")
        with closing(sqlite3.connect(tmp_path / "mine.db", isolation_level=None)) as raw:
            raw.execute("BEGIN IMMEDIATE")
            begin = time.monotonic()
            dovetail.end_run("FAILED")
            assert time.monotonic() - begin < 5
            raw.execute("COMMIT")
        assert "could not be reached" in capsys.readouterr().err
        found = dovetail.get_run(run.info.run_id)
        assert (found.info.status, found.data.params) == ("FAILED", {"lr": "0.1"})
        places.forget_stores()


class TestCatchingUp:
    def test_seals_histories_of_runs_that_ended_in_a_hurry(
        self, store: TrackingStore, run_id: str, tmp_path: Path
    ) -> None:
        """Whoever waits for nobody does not wait for that either."""
        columns = MetricColumns("loss", range(300), range(300), [0.5] * 300)
        batch = Batch.stored(metrics=(), params=(), tags=(), columns=(columns,), end=Ending("FINISHED", 5))
        hurry = store.at_once()
        assert hurry is not None
        with hurry:
            store.log_batch(run_id, batch)
        with closing(sqlite3.connect(tmp_path / "store.db")) as raw:
            rows = "SELECT count(*) FROM metric_points"
            assert raw.execute(rows).fetchone() == (300,)
            store.catch_up()
            assert raw.execute(rows).fetchone() == (0,)
        assert len(store.get_metric_history(run_id, "loss")) == 300

    def test_does_nothing_where_little_was_written(self, store: TrackingStore, run_id: str, tmp_path: Path) -> None:
        """The log stays as long as it ever was."""
        for number in range(60):
            store.log_batch(run_id, Batch(tuple(Metric(f"{number} {each}", 0.5, 1, 1) for each in range(300))))
        statements: list[str] = []
        database = open_database(tmp_path / "store.db", statements.append)
        again = SqlTrackingStore(database)
        again.get_run(run_id)
        statements.clear()
        for _ in range(3):
            again.catch_up()
        assert statements == []
        for _ in range(MANY):
            again.log_batch(run_id, TAGGED)
        for _ in range(3):
            again.catch_up()
        assert statements.count("PRAGMA wal_checkpoint(PASSIVE)") == 1
        again.close()

    def test_brings_a_long_log_into_the_file(self, store: TrackingStore, run_id: str, tmp_path: Path) -> None:
        path = tmp_path / "store.db"
        store.catch_up()
        before = path.stat().st_size
        for number in range(60):
            store.log_batch(run_id, Batch(tuple(Metric(f"{number} {each}", 0.5, 1, 1) for each in range(300))))
        log = path.with_name("store.db-wal")
        assert log.stat().st_size > LONG_LOG
        assert path.stat().st_size == before, "whoever logs does not wait for that"
        store.catch_up()
        assert path.stat().st_size > before + 100_000
        assert len(store.get_run(run_id).data.metrics) == 60 * 300

    def test_happens_while_short_runs_follow_one_another(self, tmp_path: Path) -> None:
        dovetail.set_tracking_uri(f"sqlite:///{tmp_path}/mine.db")
        path, size = tmp_path / "mine.db", 0
        for number in range(1000):
            with dovetail.start_run():
                dovetail.log_params({f"{number} {each}": "x" * 200 for each in range(20)})
            size = size or path.stat().st_size
            if path.stat().st_size > 2 * size:
                break
        assert path.stat().st_size > 2 * size
        assert path.with_name("mine.db-wal").stat().st_size < 4 * LONG_LOG
        places.forget_stores()

    def test_of_a_store_that_is_not_there_yet_does_nothing(self, tmp_path: Path) -> None:
        with closing(open_sqlite(f"sqlite:///{tmp_path}/new.db")) as new:
            new.catch_up()
        assert not (tmp_path / "new.db").exists()
