"""A store is made by whoever touches it first, however many do so at once, and whatever happens to them."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from typing import TYPE_CHECKING

from dovetail.values import Batch, Metric, NewRun
from dovetail_sqlite import open_sqlite

if TYPE_CHECKING:
    from pathlib import Path

LOG_A_HUNDRED = """
import sys, time
from dovetail.values import Batch, Metric, NewRun
from dovetail_sqlite import open_sqlite
store = open_sqlite(sys.argv[1])
while time.time() < float(sys.argv[2]):
    pass
run_id = store.create_run(NewRun("0")).info.run_id
for step in range(100):
    store.log_batch(run_id, Batch((Metric("loss", 1 / (step + 1), step=step),)))
print(run_id)
"""

LOG_UNTIL_KILLED = """
import sys
from dovetail.values import Batch, Metric, NewRun
from dovetail_sqlite import open_sqlite
store = open_sqlite(sys.argv[1])
run_id = store.create_run(NewRun("0")).info.run_id
print(run_id, flush=True)
step = 0
while True:
    store.log_batch(run_id, Batch(tuple(Metric(f"m{n}", float(step), step=step) for n in range(7))))
    print(step, flush=True)
    step += 1
"""


def test_sixteen_processes_make_one_store_together_and_lose_no_point(tmp_path: Path) -> None:
    uri, start = f"sqlite:///{tmp_path}/fresh.db", str(time.time() + 1.5)
    argv = [sys.executable, "-c", LOG_A_HUNDRED, uri, start]
    processes = [subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(16)]
    outcomes = [(*process.communicate(timeout=100), process.returncode) for process in processes]

    assert [(errors, code) for _, errors, code in outcomes] == [("", 0)] * 16
    with closing(open_sqlite(uri)) as store:
        histories = [store.get_metric_history(out.strip(), "loss") for out, _, _ in outcomes]
        assert sum(map(len, histories)) == 1600
        assert {len(history) for history in histories} == {100}
        assert [each.name for each in store.search_experiments()] == ["Default"]


def test_a_writer_killed_at_any_moment_loses_nothing_it_was_told_is_stored(tmp_path: Path) -> None:
    uri = f"sqlite:///{tmp_path}/dovetail.db"
    for round_number in range(15):
        run_id, acknowledged = _killed_after(0.02 + 0.013 * round_number, uri)
        with closing(open_sqlite(uri)) as store:
            lengths = {len(store.get_metric_history(run_id, f"m{n}")) for n in range(7)}
            # What was under way may be there as well, but whole: equally many points of every metric.
            assert len(lengths) == 1
            assert acknowledged <= lengths.pop() <= acknowledged + 1
    with closing(sqlite3.connect(tmp_path / "dovetail.db")) as raw:
        assert raw.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def _killed_after(seconds: float, uri: str) -> tuple[str, int]:
    argv = [sys.executable, "-c", LOG_UNTIL_KILLED, uri]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        run_id = process.stdout.readline().strip()
        time.sleep(seconds)
        process.send_signal(signal.SIGKILL)
        return run_id, len(process.stdout.read().splitlines())


def test_one_who_is_killed_while_making_it_leaves_it_to_the_next(tmp_path: Path) -> None:
    path = tmp_path / "dovetail.db"
    # The tables are there, but the transaction that made them never ended: what a kill leaves on disk.
    half_made = (
        "import os, sqlite3, sys; from dovetail_sqlite.compiled import DEFINITIONS;"
        "raw = sqlite3.connect(sys.argv[1], isolation_level=None); raw.execute('PRAGMA cache_size = 1');"
        "raw.execute('BEGIN EXCLUSIVE'); [raw.execute(text) for text in DEFINITIONS];"
        "raw.execute('CREATE TABLE big AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 20000)"
        " SELECT i, hex(randomblob(50)) FROM n'); os._exit(9)"
    )
    subprocess.run([sys.executable, "-c", half_made, str(path)], check=False)
    assert path.with_name("dovetail.db-journal").exists()

    with closing(open_sqlite(f"sqlite:///{path}")) as store:
        assert store.get_experiment("0").name == "Default"
        run_id = store.create_run(NewRun("0")).info.run_id
        store.log_batch(run_id, Batch((Metric("loss", 1.0),)))


def test_folders_on_the_way_are_made(tmp_path: Path) -> None:
    with closing(open_sqlite(f"sqlite:///{tmp_path}/runs/2024/dovetail.db")) as store:
        assert store.get_experiment("0").experiment_id == "0"
    assert (tmp_path / "runs" / "2024" / "dovetail.db").exists()


def test_opening_alone_touches_nothing(tmp_path: Path) -> None:
    open_sqlite(f"sqlite:///{tmp_path}/runs/dovetail.db").close()
    assert list(tmp_path.iterdir()) == []


def test_a_closed_store_leaves_one_file(tmp_path: Path) -> None:
    with closing(open_sqlite(f"sqlite:///{tmp_path}/dovetail.db")) as store:
        store.create_run(NewRun("0"))
        assert (tmp_path / "dovetail.db-wal").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["dovetail.db"]


def test_a_forgotten_store_closes_itself(tmp_path: Path) -> None:
    store = open_sqlite(f"sqlite:///{tmp_path}/dovetail.db")
    store.create_run(NewRun("0"))
    del store
    assert [path.name for path in tmp_path.iterdir()] == ["dovetail.db"]


def test_a_file_removed_while_the_store_is_open_is_made_again(tmp_path: Path) -> None:
    path = tmp_path / "dovetail.db"
    with closing(open_sqlite(f"sqlite:///{path}")) as store:
        gone = store.create_run(NewRun("0"))
        store.log_batch(gone.info.run_id, Batch((Metric("old", 1.0),)))
        for each in tmp_path.iterdir():
            each.unlink()

        run_id = store.create_run(NewRun("0")).info.run_id
        store.log_batch(run_id, Batch((Metric("new", 1.0),)))
    with closing(open_sqlite(f"sqlite:///{path}")) as again:
        assert again.get_run(run_id).data.metrics == {"new": 1.0}
        assert [run.info.run_id for run in again.search_runs(["0"])] == [run_id]


def test_a_file_that_lost_its_write_ahead_mode_gets_it_back(tmp_path: Path) -> None:
    path = tmp_path / "dovetail.db"
    with closing(open_sqlite(f"sqlite:///{path}")) as store:
        store.create_run(NewRun("0"))
    with closing(sqlite3.connect(path)) as raw:
        assert raw.execute("PRAGMA journal_mode = DELETE").fetchone() == ("delete",)
    with closing(open_sqlite(f"sqlite:///{path}")) as store:
        store.create_run(NewRun("0"))
    with closing(sqlite3.connect(path)) as raw:
        assert raw.execute("PRAGMA journal_mode").fetchone() == ("wal",)
