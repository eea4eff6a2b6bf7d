"""What happens where several writers come to one row at the same moment."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from dovetail.errors import StoreUnavailable
from dovetail.values import Dataset, DatasetInput, NewRun
from dovetail_postgresql import open_postgresql
from dovetail_sql.links import put_links
from dovetail_sql.reading import RunRow

if TYPE_CHECKING:
    from dovetail_sql.store import SqlTrackingStore

WINE = DatasetInput(Dataset("wine", "d1", "local", '{"uri": "here"}'))


def test_a_run_moves_to_where_its_dataset_is_just_being_noted(store: SqlTrackingStore, uri: str) -> None:
    there = store.create_experiment("there")
    store.create_run(NewRun("0", run_id="moving"))
    store.create_run(NewRun(there, run_id="logging"))
    store.log_inputs("moving", [WINE])
    with closing(open_postgresql(uri)) as other, ThreadPoolExecutor(1) as pool:
        with other.database.write() as transaction:
            run = RunRow(*transaction.rows("run", {"run_id": "logging"})[0])
            put_links(transaction, run, (), [WINE])
            moved = pool.submit(store.move_run, "moving", there)
            time.sleep(0.3)
            assert not moved.done()
        moved.result(timeout=30)
    for run_id in ("moving", "logging"):
        assert store.get_run(run_id).inputs.dataset_inputs == (WINE,)


def test_who_adds_what_another_has_added_is_told_to_try_again(store: SqlTrackingStore) -> None:
    number = store.get_experiment("0").experiment_id
    row = {"id": int(number), "name": "x", "artifact_location": None, "stage": "active"}
    with (
        pytest.raises(StoreUnavailable, match="at the same time; nothing was stored"),
        store.database.write() as transaction,
    ):
        transaction.run("add_default_experiment", {**row, "creation_time": 0, "last_update_time": 0})
