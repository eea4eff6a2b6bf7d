"""What is taken away for good: in slices, without a row left, and the space on request."""

from __future__ import annotations

import sqlite3
import threading
import time
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from dovetail.values import (
    Batch,
    Dataset,
    DatasetInput,
    InputTag,
    LoggedModelOutput,
    Metric,
    NewLoggedModel,
    NewRun,
    Param,
    Tag,
)
from dovetail_sql.store import SqlTrackingStore
from dovetail_sqlite import open_sqlite
from dovetail_sqlite.opening import open_database

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# Rows of other things than runs, models and experiments, and keys, which are never given up.
KEPT = {"experiments", "keys", "schema_version"}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "runs.db"


@pytest.fixture
def store(path: Path) -> Iterator[SqlTrackingStore]:
    with closing(open_sqlite(f"sqlite:///{path}")) as opened:
        yield opened


def counts(path: Path) -> dict[str, int]:
    """How many rows each table has."""
    with closing(sqlite3.connect(path)) as connection:
        names = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        found = {name: connection.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0] for name in names}
    return {name: count for name, count in found.items() if not name.startswith("sqlite_") and count}


def filled(store: SqlTrackingStore, experiment_id: str, points: int = 10) -> str:
    """A run with rows in every table that runs have any in."""
    run_id = store.create_run(NewRun(experiment_id)).info.run_id
    model_id = store.create_logged_model(
        NewLoggedModel(experiment_id, params=(Param("a", "1"),), tags=(Tag("b", "2"),))
    ).model_id
    store.log_inputs(run_id, [DatasetInput(Dataset("wine", "1", "local", "{}"), (InputTag("c", "3"),))])
    store.log_outputs(run_id, [LoggedModelOutput(model_id)])
    measured = Metric("acc", 0.5, 1, 0, model_id, "wine", "1")
    metrics = tuple(Metric("loss", float(step), step, step) for step in range(points))
    store.log_batch(run_id, Batch((*metrics, measured), (Param("lr", "1"),), (Tag("team", "a"),)))
    return run_id


def put_into_the_bin_and_out(store: SqlTrackingStore) -> None:
    for item in store.discarded():
        assert store.condemn(item)
        assert store.purge(item)


def test_not_a_row_is_left(store: SqlTrackingStore, path: Path) -> None:
    store.get_experiment("0")
    before = counts(path)
    experiment_id = store.create_experiment("wine", tags=[Tag("a", "1")])
    filled(store, experiment_id, points=5000)
    store.delete_experiment(experiment_id)
    put_into_the_bin_and_out(store)
    after = counts(path)
    assert set(after) <= KEPT
    assert after["experiments"] == before["experiments"]


def test_rows_of_others_stay(store: SqlTrackingStore, path: Path) -> None:
    filled(store, "0", points=100)
    before = counts(path)
    run_id = filled(store, "0", points=100)
    store.delete_run(run_id)
    for each in store.get_run(run_id).outputs.model_outputs:
        store.delete_logged_model(each.model_id)
    put_into_the_bin_and_out(store)
    assert counts(path) == before


def test_many_rows_go_in_several_transactions(path: Path) -> None:
    said: list[str] = []
    with closing(SqlTrackingStore(open_database(path, said.append))) as store:
        run_id = store.create_run(NewRun("0")).info.run_id
        store.log_batch(run_id, Batch(params=tuple(Param(f"p{number}", "x") for number in range(25_000))))
        store.delete_run(run_id)
        (item,) = store.discarded()
        store.condemn(item)
        said.clear()
        store.purge(item)
    assert said.count("purge_param_of_run") == 3
    assert said.count("BEGIN IMMEDIATE") == 3
    assert said[-2:] == ["purge_run", "COMMIT"]


def test_others_write_meanwhile(store: SqlTrackingStore) -> None:
    run_id, busy = (store.create_run(NewRun("0")).info.run_id for _ in range(2))
    store.log_batch(run_id, Batch(params=tuple(Param(f"p{number}", "x") for number in range(100_000))))
    store.delete_run(run_id)
    (item,) = store.discarded()
    store.condemn(item)
    purging = threading.Thread(target=store.purge, args=(item,))
    purging.start()
    written = 0
    while purging.is_alive():
        store.log_batch(busy, Batch(tags=(Tag("written", str(written)),)))
        written += 1
        time.sleep(0.001)
    purging.join()
    assert written > 3


def test_space_is_given_back(store: SqlTrackingStore, path: Path) -> None:
    run_id = store.create_run(NewRun("0")).info.run_id
    store.log_batch(run_id, Batch(params=tuple(Param(f"p{number}", "x" * 1000) for number in range(2000))))
    kept = filled(store, "0")
    before = store.get_run(kept)
    store.delete_run(run_id)
    put_into_the_bin_and_out(store)
    given_back = store.compact()
    assert given_back is not None
    assert given_back > 1_000_000
    assert path.stat().st_size < 1_000_000
    assert store.get_run(kept) == before
    assert store.compact() == 0


def test_memory_needs_no_compaction() -> None:
    with closing(open_sqlite("sqlite://")) as store:
        assert store.compact() is None


def test_a_run_that_moves_keeps_its_artifacts_place_when_the_folder_is_elsewhere(
    store: SqlTrackingStore, path: Path
) -> None:
    """Only runs that moved note where their artifacts are; all others go with the database's folder."""
    there = store.create_experiment("there")
    moved, stays = (store.create_run(NewRun("0")).info.run_id for _ in range(2))
    store.move_run(moved, there)
    with closing(sqlite3.connect(path)) as connection:
        kept = dict(connection.execute("SELECT run_id, artifact_uri FROM runs").fetchall())
    assert kept == {moved: store.get_run(moved).info.artifact_uri, stays: None}
