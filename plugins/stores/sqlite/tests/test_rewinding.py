"""Taking away points of long histories: what is left, and what that takes."""

from __future__ import annotations

import random
import tracemalloc
from array import array
from math import nan
from typing import TYPE_CHECKING, Any

import pytest

from dovetail.testing import MemoryTrackingStore
from dovetail.values import Batch, MetricColumns, NewRun
from dovetail_sql.store import SqlTrackingStore
from dovetail_sqlite.opening import open_database

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MANY = 400_000


@pytest.fixture
def statements() -> list[str]:
    """What is executed."""
    return []


@pytest.fixture
def store(tmp_path: Path, statements: list[str]) -> Iterator[SqlTrackingStore]:
    found = SqlTrackingStore(open_database(tmp_path / "a.db", statements.append))
    yield found
    found.close()


def log(store: Any, run_id: str, points: list[tuple[int, int, float]], key: str = "loss") -> None:
    """Log points: timestamp, step and value of each."""
    timestamps, steps, values = zip(*points, strict=True)
    store.log_batch(run_id, Batch(columns=(MetricColumns(key, array("q", timestamps), array("q", steps), values),)))


def found(store: Any, run_id: str) -> Any:
    """The history, and the latest points, as texts: NaN is equal to itself then."""
    history = [[(each.timestamp, each.step, str(each.value)) for each in store.get_metric_history(run_id, "loss")]]
    latest = store.get_run(run_id).data.latest
    return history, [(each.key, each.timestamp, each.step, str(each.value)) for each in latest]


@pytest.mark.parametrize("seed", range(8))
def test_of_any_history_the_same_is_left_as_anywhere_else(store: SqlTrackingStore, seed: int) -> None:
    """In blocks that reach into each other and in rows, with steps and times that many points share, and NaN."""
    chance, other = random.Random(seed), MemoryTrackingStore("memory://a")
    runs = [each.create_run(NewRun("0", run_id="a")).info.run_id for each in (store, other)]
    far = chance.choice([3, 50, 5000])
    for _ in range(6):
        points = [
            (chance.randrange(far), chance.randrange(far), chance.choice([nan, 0.5, chance.random()]))
            for _ in range(chance.choice([5, 700, 5000]))
        ]
        for each, run_id in zip((store, other), runs, strict=True):
            log(each, run_id, points)
    for step in (far - 1, far // 2, 1, 0):
        store.drop_points(runs[0], step)
        other.drop_points(runs[1], step)
        assert found(store, runs[0]) == found(other, runs[1])


@pytest.mark.parametrize("ended", [False, True])
def test_the_last_ones_of_many_take_no_more_than_of_few(
    store: SqlTrackingStore, statements: list[str], ended: bool
) -> None:
    run_id = store.create_run(NewRun("0", run_id="a")).info.run_id
    steps = array("q", range(MANY))
    store.log_batch(run_id, Batch(columns=(MetricColumns("loss", steps, steps, array("d", steps)),)))
    if ended:
        store.update_run(run_id, status="FINISHED")
    statements.clear()
    tracemalloc.start()
    try:
        store.drop_points(run_id, MANY - 10)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < 4_000_000
    assert len([each for each in statements if "payload" in each]) < 5
    assert store.get_run(run_id).data.metrics == {"loss": float(MANY - 11)}


def test_nearly_all_of_many_take_no_more_either(store: SqlTrackingStore) -> None:
    run_id = store.create_run(NewRun("0", run_id="a")).info.run_id
    order = random.Random(1).sample(range(MANY), MANY)
    log(store, run_id, [(time, step, 1.0) for time, step in enumerate(order)])  # each block has early and late steps
    tracemalloc.start()
    try:
        store.drop_points(run_id, 100)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < 4_000_000
    assert sorted(each.step for each in store.get_metric_history(run_id, "loss")) == list(range(100))
    assert [each.step for each in store.get_run(run_id).data.latest] == [99]
