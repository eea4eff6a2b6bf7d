"""Sealing: what happens to the rows of long histories, when, and what if something goes wrong meanwhile."""

from __future__ import annotations

import logging
import signal
import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from dovetail.values import Batch, Metric, NewRun
from dovetail_sql.growth import SHORT, SIZE, TAIL
from dovetail_sql.store import SqlTrackingStore
from dovetail_sqlite.opening import open_database

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CHUNK = 1000


class Watched:
    """A store, its file as others see it, and the statements it executes."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.statements: list[str] = []
        self.store = SqlTrackingStore(open_database(path, self.statements.append))
        self.run_id = self.store.create_run(NewRun("0", run_id="r")).info.run_id

    def log(self, count: int, keys: int = 1, first: int = 0) -> None:
        """Log points of so many keys in turn."""
        for start in range(first, first + count, CHUNK):
            points = [
                Metric(f"m{each % keys}", float(each), timestamp=each, step=each // keys)
                for each in range(start, min(start + CHUNK, first + count))
            ]
            self.store.log_batch(self.run_id, Batch(tuple(points)), ended=True)

    def end(self) -> None:
        """End the run."""
        self.store.update_run(self.run_id, status="FINISHED")

    def values(self, key: str = "m0") -> list[float]:
        """The history."""
        return [each.value for each in self.store.get_metric_history(self.run_id, key)]

    def asked(self, text: str) -> Any:
        """What another connection answers."""
        with closing(sqlite3.connect(self.path)) as raw, raw:
            return raw.execute(text).fetchall()

    @property
    def rows(self) -> int:
        """How many points stand in rows."""
        return int(self.asked("SELECT count(*) FROM metric_points")[0][0])

    @property
    def blocks(self) -> list[int]:
        """How many points the blocks have."""
        return [points for (points,) in self.asked("SELECT points FROM metric_blocks ORDER BY run, key, id")]


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[Watched]:
    watched = Watched(tmp_path / "dovetail.db")
    with closing(watched.store):
        yield watched


class TestRowsBecomeBlocks:
    def test_while_a_run_goes_on_as_its_tail_grows(self, watched: Watched) -> None:
        watched.log(TAIL - CHUNK)
        assert (watched.rows, watched.blocks) == (TAIL - CHUNK, [])
        watched.log(2 * CHUNK, first=TAIL - CHUNK)
        assert watched.blocks == [SIZE] * (TAIL // SIZE)
        assert watched.rows == CHUNK
        assert watched.values() == [float(each) for each in range(TAIL + CHUNK)]

    def test_at_the_end_of_a_run_whole_ones_and_the_rest(self, watched: Watched) -> None:
        watched.log(SIZE + 100)
        watched.end()
        assert (watched.rows, watched.blocks) == (0, [SIZE, 100])

    def test_looks_at_very_many_short_tails_become_rare(self, watched: Watched) -> None:
        watched.log(9 * TAIL, keys=4000)
        assert watched.blocks == []
        assert watched.statements.count("tail_lengths") == 4  # at 1, 2, 4 and 8 times what the first look found

    def test_but_few_points_stay_as_they_are(self, watched: Watched) -> None:
        watched.log(20 * (SHORT - 1), keys=20)
        watched.statements.clear()
        watched.end()
        told = ["BEGIN IMMEDIATE", "run", "end_lease", "update_run"]
        told += ["long_tail", "tail_lengths", "small_blocks", "COMMIT"]
        assert watched.statements == told
        assert (watched.rows, watched.blocks) == (20 * (SHORT - 1), [])

    def test_and_few_more_points_go_into_a_block_that_has_room(self, watched: Watched) -> None:
        watched.log(SHORT * 100, keys=100)
        watched.end()
        watched.log(50 * 100, keys=100, first=SHORT * 100)
        watched.end()
        assert (watched.rows, set(watched.blocks)) == (0, {SHORT + 50})
        assert watched.values("m99") == [float(each) for each in range(99, (SHORT + 50) * 100, 100)]

    def test_of_many_keys_in_turn_without_leaving_a_long_tail(self, watched: Watched) -> None:
        watched.log(90_000, keys=500)
        assert watched.rows < 4 * TAIL
        assert min(watched.blocks) >= SHORT
        watched.end()
        assert watched.rows == 0
        assert sum(watched.blocks) == 90_000
        for key in (0, 250, 499):
            assert watched.values(f"m{key}") == [float(each) for each in range(key, 90_000, 500)]

    def test_small_ones_are_put_together(self, watched: Watched) -> None:
        for turn in range(10):
            watched.log(1000, first=1000 * turn)
            watched.end()
        assert len(watched.blocks) <= 10_000 // SIZE + 3
        assert watched.values() == [float(each) for each in range(10_000)]

    def test_that_take_little_room(self, watched: Watched) -> None:
        watched.log(60_000)
        watched.end()
        (size,) = watched.asked("SELECT sum(length(head) + length(payload)) FROM metric_blocks")[0]
        assert size < 60_000 * 10

    def test_in_two_transactions_that_read_and_write_all_keys_at_once(self, watched: Watched) -> None:
        watched.log(100 * 100, keys=100)
        watched.statements.clear()
        watched.end()
        told = ["BEGIN IMMEDIATE", "run", "end_lease", "update_run", "long_tail", "tail_lengths", "COMMIT"]
        looked = ["BEGIN IMMEDIATE", "run", "tail_lengths", "keys_of_blocks"]
        assert watched.statements == [*told, *looked, "tail_rows", "add_block", "drop_tail", "small_blocks", "COMMIT"]


class TestReading:
    def test_seals_nothing(self, watched: Watched) -> None:
        number = watched.asked("SELECT id FROM runs")[0][0]
        with closing(sqlite3.connect(watched.path)) as raw, raw:
            # A run that ended before there were blocks.
            raw.execute("INSERT INTO keys (id, name) VALUES (1, 'm0')")
            raw.execute("UPDATE runs SET status = 'FINISHED', end_time = 1")
            rows = ((number, 1, float(each), each, each) for each in range(20_000))
            raw.executemany("INSERT INTO metric_points (run, key, value, timestamp, step) VALUES (?, ?, ?, ?, ?)", rows)
        assert watched.values() == [float(each) for each in range(20_000)]
        assert len(watched.store.get_metric_series(["r"], "m0", points=100)["r"]) <= 100
        assert (watched.rows, watched.blocks) == (20_000, [])
        watched.end()
        assert watched.rows == 0
        assert watched.values() == [float(each) for each in range(20_000)]

    def test_a_page_takes_no_more_blocks_than_it_shows(self, watched: Watched) -> None:
        watched.log(20 * SIZE)
        watched.end()
        page = watched.store.get_metric_history("r", "m0", 10 * SIZE)
        watched.statements.clear()
        more = watched.store.get_metric_history("r", "m0", 2 * SIZE, page.token)
        assert [each.step for each in more] == list(range(10 * SIZE, 12 * SIZE))
        assert watched.statements == ["BEGIN", "history_after", "blocks_from", *["payloads"] * 3, "COMMIT"]

    def test_many_runs_takes_as_many_statements_as_one(self, watched: Watched) -> None:
        watched.log(SIZE)
        watched.end()
        others = [watched.store.create_run(NewRun("0")).info.run_id for _ in range(20)]
        for run_id in others:
            watched.store.log_batch(run_id, Batch((Metric("m0", 0.5),)))
        watched.statements.clear()
        found = watched.store.get_metric_series([*others, "r"], "m0")
        assert [len(series) for series in found.values()] == [1] * 20 + [SIZE]
        assert watched.statements == ["BEGIN", "series_tail", "series_blocks", "payloads", "COMMIT"]

    def test_a_thinned_out_history_takes_heads_alone(self, watched: Watched) -> None:
        watched.log(40_000)
        watched.end()
        watched.statements.clear()
        assert 90 <= len(watched.store.get_metric_series(["r"], "m0", points=100)["r"]) <= 100
        assert watched.statements == ["BEGIN", "series_tail", "series_blocks", "COMMIT"]

    def test_an_interval_takes_only_blocks_that_have_some_of_it(self, watched: Watched) -> None:
        watched.log(8 * SIZE)
        watched.end()
        with closing(sqlite3.connect(watched.path)) as raw, raw:
            raw.execute("UPDATE metric_blocks SET payload = 'damaged' WHERE first_timestamp NOT IN (?, ?)", (0, SIZE))
        found = watched.store.get_metric_series(["r"], "m0", start_step=SIZE - 10, end_step=SIZE + 9)
        assert found["r"].steps.tolist() == list(range(SIZE - 10, SIZE + 10))


class TestFailures:
    def test_to_seal_fail_no_call_and_are_told(self, watched: Watched, caplog: pytest.LogCaptureFixture) -> None:
        watched.log(60_000, keys=20)
        watched.end()
        kept = watched.asked("SELECT payload, id FROM metric_blocks")
        with closing(sqlite3.connect(watched.path)) as raw, raw:
            raw.execute("UPDATE metric_blocks SET payload = x'00'")
        with caplog.at_level(logging.WARNING):
            watched.log(40_000, keys=20, first=60_000)
            assert "The history of run r stays in rows for now" in caplog.text
            assert "damaged" in caplog.text
            caplog.clear()
            watched.end()
            assert "The history of run r stays in rows for now" in caplog.text
        assert watched.rows > 20_000
        with closing(sqlite3.connect(watched.path)) as raw, raw:
            raw.executemany("UPDATE metric_blocks SET payload = ? WHERE id = ?", kept)
        watched.end()
        assert watched.rows == 0
        assert watched.values() == [float(each) for each in range(0, 100_000, 20)]

    @pytest.mark.parametrize("statement", ["small_blocks", "add_block", "drop_tail", "COMMIT"])
    @pytest.mark.parametrize("call", ["log", "end"])
    def test_a_process_killed_while_it_seals_loses_nothing(self, tmp_path: Path, call: str, statement: str) -> None:
        """It is killed right before it executes a statement; before COMMIT all of the work is done but that."""
        path = tmp_path / "dovetail.db"
        done = subprocess.run([sys.executable, "-c", KILLED, str(path), call, statement], check=False)
        assert done.returncode == -signal.SIGKILL
        watched = Watched.__new__(Watched)
        watched.path, watched.run_id, watched.statements = path, "r", []
        with closing(SqlTrackingStore(open_database(path))) as watched.store:
            logged = -(-TAIL // CHUNK) * CHUNK if call == "log" else 5 * CHUNK
            assert watched.values() == [float(each) for each in range(logged)]
            assert (watched.rows, watched.blocks) == (logged, [])
            watched.end()
            assert (watched.rows, sum(watched.blocks)) == (0, logged)
            assert watched.values() == [float(each) for each in range(logged)]

    def test_two_that_seal_one_run_at_once_seal_it_once(self, watched: Watched) -> None:
        watched.log(3 * SIZE)
        with ThreadPoolExecutor(4) as pool:
            for _ in range(5):
                list(pool.map(lambda _: watched.end(), range(4)))
        assert (watched.rows, watched.blocks) == (0, [SIZE] * 3)
        assert watched.values() == [float(each) for each in range(3 * SIZE)]


KILLED = """
import os, signal, sys
from pathlib import Path
from dovetail.values import Batch, Metric, NewRun
from dovetail_sql.growth import TAIL
from dovetail_sql.store import SqlTrackingStore
from dovetail_sqlite.opening import open_database
path, call, fatal = sys.argv[1:]
sealing = False
def watch(statement):
    global sealing
    sealing = sealing or statement == "tail_rows"
    if sealing and statement == fatal:
        os.kill(os.getpid(), signal.SIGKILL)
store = SqlTrackingStore(open_database(Path(path), watch))
store.create_run(NewRun("0", run_id="r"))
for start in range(0, TAIL + 1000 if call == "log" else 5000, 1000):
    points = tuple(Metric("m0", float(each), timestamp=each, step=each) for each in range(start, start + 1000))
    store.log_batch("r", Batch(points))
store.update_run("r", status="FINISHED")
"""
