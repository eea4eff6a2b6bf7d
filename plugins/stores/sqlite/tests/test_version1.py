"""A file that the first release's schema was in is brought up to date at its next opening, and nothing is lost."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from math import inf, isnan
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from dovetail.values import Batch, LifecycleStage, Metric, NewLoggedModel, NewRun, ViewType
from dovetail_sql.schema import VERSION
from dovetail_sqlite import open_sqlite
from dovetail_sqlite.compiled import DEFINITIONS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dovetail_sql.store import SqlTrackingStore

DUMP = Path(__file__).parent / "data" / "version1.sql"
RUNS = [f"{number:032x}" for number in range(3)]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A file as version 1 left it, with runs that are under way, ended and deleted."""
    path = tmp_path / "dovetail.db"
    with closing(sqlite3.connect(path)) as raw:
        raw.executescript(DUMP.read_text(encoding="utf-8"))
    return path


@pytest.fixture
def store(path: Path) -> Iterator[SqlTrackingStore]:
    with closing(open_sqlite(f"sqlite:///{path}")) as store:
        yield store


def shape_of(raw: sqlite3.Connection) -> dict[str, set[str]]:
    """The columns of each table and index; types and order of columns are of no account to sqlite."""
    tables = [row[0] for row in raw.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    indexes = [row[0] for row in raw.execute("SELECT name FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL")]
    columns = {name: {row[1] for row in raw.execute(f"PRAGMA table_info({name})")} for name in tables}
    return columns | {name: {str(row[2]) for row in raw.execute(f"PRAGMA index_info({name})")} for name in indexes}


def test_what_was_logged_is_there(store: SqlTrackingStore) -> None:
    ended, deleted, running = [store.get_run(run_id) for run_id in RUNS]
    assert (ended.info.status, deleted.info.status, running.info.status) == ("FINISHED", "RUNNING", "RUNNING")
    assert deleted.info.lifecycle_stage == LifecycleStage.DELETED
    assert ended.data.params == {"lr": "0.0"}
    assert ended.data.metrics["acc"] == inf
    assert isnan(ended.data.metrics["loss"])
    assert ended.inputs.dataset_inputs == ()
    history = store.get_metric_history(RUNS[0], "loss")
    assert [point.step for point in history] == list(range(21))
    assert store.applied("writer-2") == 7
    assert store.get_experiment("1").tags == {"team": "growth"}
    assert [each.name for each in store.search_experiments(view_type=ViewType.DELETED_ONLY)] == ["gone"]


def test_what_is_new_works_on_it(store: SqlTrackingStore) -> None:
    store.log_batch(RUNS[2], Batch(metrics=(Metric("loss", 0.0, 4000, 30),)))
    store.update_run(RUNS[2], status="FINISHED")
    assert len(store.get_metric_history(RUNS[2], "loss")) == 22
    model = store.create_logged_model(NewLoggedModel("1", source_run_id=RUNS[2]))
    assert store.get_logged_model(model.model_id).source_run_id == RUNS[2]
    assert [run.info.run_id for run in store.search_runs(["1"], "metrics.loss = 0")] == [RUNS[2]]
    assert {item.id for item in store.discarded()} >= {RUNS[1], "f" * 32, "2"}
    store.create_run(NewRun("1"))


def test_it_is_like_one_made_anew(path: Path, store: SqlTrackingStore) -> None:
    store.get_experiment("0")
    with closing(sqlite3.connect(path)) as upgraded, closing(sqlite3.connect(":memory:")) as fresh:
        for text in DEFINITIONS:
            fresh.execute(text)
        assert shape_of(upgraded) == shape_of(fresh)
        assert upgraded.execute("SELECT version FROM schema_version").fetchall() == [(VERSION,)]


def test_a_copy_of_the_old_file_is_kept(path: Path, store: SqlTrackingStore) -> None:
    store.get_experiment("0")
    backup = path.with_name(f"{path.name}.v1-backup")
    with closing(sqlite3.connect(backup)) as old:
        assert old.execute("SELECT version FROM schema_version").fetchall() == [(1,)]
