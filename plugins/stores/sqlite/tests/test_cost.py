"""What a call costs: how many statements, and which libraries."""

from __future__ import annotations

import subprocess
import sys
from collections import defaultdict
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from dovetail.values import Batch, JournalMark, Metric, NewRun, Param, Tag
from dovetail_sql.store import SqlTrackingStore
from dovetail_sqlite.opening import open_database

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

EVERYDAY = """
import sys
from dovetail.values import Batch, Metric, NewRun, Param, Tag
from dovetail_sqlite import open_sqlite
store = open_sqlite(sys.argv[1])
experiment_id = store.get_experiment_by_name("Default").experiment_id
run_id = store.create_run(NewRun(experiment_id, tags=(Tag("a", "b"),))).info.run_id
store.log_batch(run_id, Batch((Metric("loss", 0.5),), (Param("lr", "0.1"),), (Tag("c", "d"),)))
store.update_run(run_id, status="FINISHED")
assert store.get_run(run_id).data.metrics == {"loss": 0.5}
assert len(store.get_metric_history(run_id, "loss")) == 1
store.close()
"""
SEARCH = "store.search_runs(['0'], 'metrics.loss > 0')\n"
HEAVY = ("sqlalchemy", "numpy", "pandas", "asyncio", "importlib.metadata")
TELL = f"print([name for name in {HEAVY} if name in sys.modules])"


def loaded(script: str, uri: str) -> str:
    argv = [sys.executable, "-c", script, uri]
    return subprocess.run(argv, check=True, capture_output=True, text=True).stdout.strip()


class TestLibraries:
    def test_making_a_store_and_logging_load_no_heavy_one(self, tmp_path: Path) -> None:
        # importlib.metadata comes with pluggy, whose markers the plugin's module uses.
        assert loaded(EVERYDAY + TELL, f"sqlite:///{tmp_path}/dovetail.db") in ("[]", "['importlib.metadata']")

    def test_opening_one_that_is_there_loads_no_heavy_one(self, tmp_path: Path) -> None:
        uri = f"sqlite:///{tmp_path}/dovetail.db"
        loaded(EVERYDAY, uri)
        assert "sqlalchemy" not in loaded(EVERYDAY + TELL, uri)

    def test_only_a_search_loads_sqlalchemy(self, tmp_path: Path) -> None:
        script = EVERYDAY.replace("store.close()", SEARCH) + TELL
        assert "sqlalchemy" in loaded(script, f"sqlite:///{tmp_path}/dovetail.db")


class Counted:
    """A store, and the statements it executes."""

    def __init__(self, path: Path) -> None:
        self.statements: list[str] = []
        self.store = SqlTrackingStore(open_database(path, self.statements.append))
        self.run_id = self.store.create_run(NewRun("0", tags=(Tag("a", "b"), Tag("c", "d")))).info.run_id
        self.store.log_batch(self.run_id, Batch((Metric("loss", 0.5),), (Param("lr", "0.1"),)))

    def of(self, call: Callable[[], object]) -> list[str]:
        """What a call executes."""
        self.statements.clear()
        call()
        return self.statements


@pytest.fixture
def counted(tmp_path: Path) -> Iterator[Counted]:
    counted = Counted(tmp_path / "dovetail.db")
    with closing(counted.store):
        yield counted


class TestStatements:
    def test_of_a_metric(self, counted: Counted) -> None:
        spent = counted.of(lambda: counted.store.log_batch(counted.run_id, Batch((Metric("loss", 0.4, step=1),))))
        assert spent == ["BEGIN IMMEDIATE", "run", "add_point", "put_latest", "COMMIT"]

    def test_of_a_thousand_metrics_are_as_many(self, counted: Counted) -> None:
        batch = Batch(tuple(Metric("loss", 0.4, step=step) for step in range(1000)))
        spent = counted.of(lambda: counted.store.log_batch(counted.run_id, batch))
        assert spent == ["BEGIN IMMEDIATE", "run", "add_point", "put_latest", "COMMIT"]

    def test_of_a_thousand_new_metrics_are_two_more(self, counted: Counted) -> None:
        batch = Batch(tuple(Metric(f"m{number}", 0.4) for number in range(1000)))
        spent = counted.of(lambda: counted.store.log_batch(counted.run_id, batch))
        assert spent == ["BEGIN IMMEDIATE", "run", "add_key", "key_ids", "add_point", "put_latest", "COMMIT"]

    def test_of_everything_at_once_from_a_journal(self, counted: Counted) -> None:
        batch = Batch((Metric("loss", 0.3),), (Param("lr", "0.1"),), (Tag("a", "e"),))
        spent = counted.of(lambda: counted.store.log_batch(counted.run_id, batch, mark=JournalMark("w", 1)))
        logged = ["add_param", "params_of", "add_point", "put_latest", "put_tag"]
        assert spent == ["BEGIN IMMEDIATE", "put_mark", "run", *logged, "COMMIT"]

    def test_of_a_record_that_is_there_already(self, counted: Counted) -> None:
        batch, mark = Batch((Metric("loss", 0.3),)), JournalMark("w", 1)
        counted.store.log_batch(counted.run_id, batch, mark=mark)
        spent = counted.of(lambda: counted.store.log_batch(counted.run_id, batch, mark=mark))
        assert spent == ["BEGIN IMMEDIATE", "put_mark", "COMMIT"]

    def test_of_a_new_run(self, counted: Counted) -> None:
        spent = counted.of(lambda: counted.store.create_run(NewRun("0", tags=(Tag("a", "b"), Tag("c", "d")))))
        assert spent == ["BEGIN IMMEDIATE", "experiment", "add_run", "put_tag", "COMMIT"]

    def test_of_the_end_of_a_run(self, counted: Counted) -> None:
        spent = counted.of(lambda: counted.store.update_run(counted.run_id, status="FINISHED"))
        assert spent == ["BEGIN IMMEDIATE", "run", "update_run", "COMMIT"]

    def test_of_reading_a_run(self, counted: Counted) -> None:
        counted.store.get_run(counted.run_id)  # learns the names of the keys
        spent = counted.of(lambda: counted.store.get_run(counted.run_id))
        assert spent == ["BEGIN", "run", "latest_of", "params_of", "tags_of", "COMMIT"]

    def test_of_a_page_are_as_many_for_all_its_runs(self, counted: Counted) -> None:
        for _ in range(20):
            counted.store.create_run(NewRun("0", tags=(Tag("a", "b"),)))
        counted.store.search_runs(["0"], "tags.a = 'b'")
        spent = counted.of(lambda: counted.store.search_runs(["0"], "tags.a = 'b'"))
        assert len(spent) <= 7
        assert spent[-4:] == ["latest_of", "params_of", "tags_of", "COMMIT"]


class TestIndexes:
    @pytest.mark.parametrize(
        ("text", "index"),
        [
            ("metrics.loss > 0.4", "ix_latest_metric_search (key=? AND value>?)"),
            ("params.lr = '0.1'", "ix_param_search (key=? AND <expr>=?)"),
            ("tags.a = 'b'", "ix_tag_search (key=? AND <expr>=?)"),
        ],
    )
    def test_lead_to_what_few_runs_have(self, counted: Counted, text: str, index: str) -> None:
        made = counted.of(lambda: counted.store.search_runs(["0"], f"NOT tags.x = 'y' AND {text}"))
        # Once to count the runs that have it, once to look at no others.
        assert [index in plan for plan in _plans(counted, made[1:3])] == [True, True]

    def test_give_the_order_of_a_plain_listing(self, counted: Counted) -> None:
        made = counted.of(lambda: counted.store.search_runs(["0"]))
        (plan,) = _plans(counted, made[1:2])
        assert "ix_runs_listing (experiment=? AND stage=?)" in plan
        assert "TEMP B-TREE" not in plan


def _plans(counted: Counted, statements: list[str]) -> list[str]:
    with counted.store.database.read() as transaction:
        asked: defaultdict[str, int] = defaultdict(int)
        return [
            "; ".join(row[3] for row in transaction._raw.execute(f"EXPLAIN QUERY PLAN {text}", asked))  # type: ignore[attr-defined]
            for text in statements
        ]
