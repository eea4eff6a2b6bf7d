"""How many connections a store keeps, and how much they keep in memory."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text

from dovetail.values import NewRun
from dovetail_sql.store import SqlTrackingStore
from dovetail_sqlite.opening import open_database
from dovetail_sqlite.pooling import IDLE, ROOMY

if TYPE_CHECKING:
    from collections.abc import Iterator

OPEN = Path("/proc/self/fd")
THREADS = 24
ROOM = text("PRAGMA cache_size")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqlTrackingStore]:
    with closing(SqlTrackingStore(open_database(tmp_path / "dovetail.db"))) as store:
        store.create_run(NewRun("0", run_id="r"))
        yield store


def at_once(store: SqlTrackingStore, works: int) -> list[int]:
    """The room, in KiB, of so many transactions that go on at the same time."""
    all_there = threading.Barrier(works)

    def search() -> int:
        with store.database.read() as transaction:
            all_there.wait(timeout=30)
            ((size,),) = transaction.rows(ROOM, {})
            all_there.wait(timeout=30)
            return -int(size)

    with ThreadPoolExecutor(works) as pool:
        return [each.result() for each in [pool.submit(search) for _ in range(works)]]


def test_searches_at_the_same_time_share_what_memory_there_is_for_them(store: SqlTrackingStore) -> None:
    sizes = at_once(store, THREADS)
    assert sum(size > 10_000 for size in sizes) == ROOMY
    assert sum(sizes) < ROOMY * 64 * 1024 + THREADS * 2000 + 1


def test_a_search_alone_has_room(store: SqlTrackingStore) -> None:
    at_once(store, THREADS)
    assert at_once(store, 1) == [64 * 1024]


@pytest.mark.skipif(not OPEN.is_dir(), reason="only Linux shows open files in this way")
def test_few_connections_stay_open_when_many_were_used(store: SqlTrackingStore, tmp_path: Path) -> None:
    at_once(store, THREADS)
    opened = [each.resolve() for each in OPEN.iterdir()]
    # Of the file itself sqlite keeps what it has opened, for later: closing would give up the locks of others.
    assert 1 < opened.count(tmp_path / "dovetail.db-wal") <= IDLE + ROOMY
    assert store.get_run("r").info.run_id == "r"
