"""What a call costs: how many statements, and which libraries."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from collections import defaultdict
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from dovetail.values import (
    Batch,
    Dataset,
    DatasetInput,
    Ending,
    JournalMark,
    Lease,
    LogEntry,
    LoggedModelInput,
    LoggedModelOutput,
    Metric,
    NewLoggedModel,
    NewRun,
    Param,
    Tag,
)
from dovetail_sql.store import SqlTrackingStore
from dovetail_sqlite.opening import open_database

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

WINE = Dataset("wine", "1", "local", "{}")
ON_WINE = {"dataset_name": WINE.name, "dataset_digest": WINE.digest}
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
        self.path, self.store = path, SqlTrackingStore(open_database(path, self.statements.append))
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

    def test_of_a_search_for_datasets_are_as_many_however_many_runs_used_them(self, counted: Counted) -> None:
        for _ in range(3):
            run_id = counted.store.create_run(NewRun("0")).info.run_id
            counted.store.log_inputs(run_id, [DatasetInput(WINE)])
        spent = counted.of(lambda: counted.store.search_datasets(["0"]))
        assert spent == ["BEGIN", "dataset_summaries", "COMMIT"]

    def test_of_a_record_that_is_there_already(self, counted: Counted) -> None:
        batch, mark = Batch((Metric("loss", 0.3),)), JournalMark("w", 1)
        counted.store.log_batch(counted.run_id, batch, mark=mark)
        spent = counted.of(lambda: counted.store.log_batch(counted.run_id, batch, mark=mark))
        assert spent == ["BEGIN IMMEDIATE", "put_mark", "COMMIT"]

    def test_of_a_new_run(self, counted: Counted) -> None:
        spent = counted.of(lambda: counted.store.create_run(NewRun("0", tags=(Tag("a", "b"), Tag("c", "d")))))
        assert spent == ["BEGIN IMMEDIATE", "experiment_kept", "add_run", "put_tag", "COMMIT"]

    def test_of_the_end_of_a_run(self, counted: Counted) -> None:
        spent = counted.of(lambda: counted.store.update_run(counted.run_id, status="FINISHED"))
        assert spent == ["BEGIN IMMEDIATE", "run", "end_lease", "update_run", "long_tail", "small_blocks", "COMMIT"]

    def test_of_the_end_of_a_run_together_with_what_it_logged(self, counted: Counted) -> None:
        lease = Lease("me", 60)
        run_id = counted.store.create_run(NewRun("0", lease=lease)).info.run_id
        batch = Batch((Metric("loss", 0.3),), (), (Tag("a", "e"),), end=Ending("FINISHED", 5, lease.holder))
        spent = counted.of(lambda: counted.store.log_batch(run_id, batch, mark=JournalMark("w", 1)))
        ended = ["end_own_lease", "update_run", "long_tail", "small_blocks"]
        assert spent == ["BEGIN IMMEDIATE", "put_mark", "run", "add_point", "put_latest", "put_tag", *ended, "COMMIT"]

    def test_of_reading_a_run(self, counted: Counted) -> None:
        counted.store.get_run(counted.run_id)  # learns the names of the keys
        spent = counted.of(lambda: counted.store.get_run(counted.run_id))
        assert spent == ["BEGIN", "run", "held_by", "COMMIT"]

    def test_of_a_page_are_as_many_for_all_its_runs(self, counted: Counted) -> None:
        for _ in range(20):
            counted.store.create_run(NewRun("0", tags=(Tag("a", "b"),)))
        counted.store.search_runs(["0"], "tags.a = 'b'")
        spent = counted.of(lambda: counted.store.search_runs(["0"], "tags.a = 'b'"))
        assert len(spent) <= 7
        assert spent[-4:] == ["latest_of", "params_of", "tags_of", "COMMIT"]


class TestStatementsOfGroups:
    """However many entries there are, and of however many runs."""

    @pytest.fixture
    def runs(self, counted: Counted) -> list[str]:
        return [counted.store.create_run(NewRun("0")).info.run_id for _ in range(64)]

    def test_of_points_of_many_runs_are_those_of_one(self, counted: Counted, runs: list[str]) -> None:
        entries = [LogEntry(run_id, Batch((Metric("loss", 0.4),))) for run_id in runs]
        spent = counted.of(lambda: counted.store.log_batches(entries))
        assert spent == ["BEGIN IMMEDIATE", "runs_named", "add_point", "put_latest", "COMMIT"]

    def test_of_points_of_one_run_are_as_many(self, counted: Counted) -> None:
        entries = [LogEntry(counted.run_id, Batch((Metric("loss", 0.4, step=step),))) for step in range(64)]
        spent = counted.of(lambda: counted.store.log_batches(entries))
        assert spent == ["BEGIN IMMEDIATE", "runs_named", "add_point", "put_latest", "COMMIT"]

    def test_of_everything_at_once_from_journals(self, counted: Counted, runs: list[str]) -> None:
        batch = Batch((Metric("loss", 0.3),), (Param("lr", "0.1"),), (Tag("a", "e"), Tag("c", "d", set_at=1000)))
        entries = [LogEntry(run_id, batch, JournalMark(run_id, 1)) for run_id in runs]
        known = ["marks", "add_mark", "marks", "runs_named", "params_of"]
        written = ["set_mark", "add_param", "add_point", "put_latest", "put_tag", "put_late_tag"]
        spent = list(counted.of(lambda: counted.store.log_batches(entries)))
        assert spent == ["BEGIN IMMEDIATE", *known, *written, "COMMIT"]
        again = counted.of(lambda: counted.store.log_batches(entries))
        assert again == ["BEGIN IMMEDIATE", "marks", "runs_named", "params_of", "COMMIT"]

    def test_of_points_of_models_are_three_more(self, counted: Counted, runs: list[str]) -> None:
        store = counted.store
        store.log_inputs(runs[0], [DatasetInput(WINE)])
        models = [store.create_logged_model(NewLoggedModel("0")).model_id for _ in runs]
        points = [Metric("loss", 0.4, model_id=model_id, **ON_WINE) for model_id in models]
        entries = [LogEntry(run_id, Batch((point,))) for run_id, point in zip(runs, points, strict=True)]
        spent = counted.of(lambda: store.log_batches(entries))
        logged = ["add_point", "put_latest", "datasets_named", "add_model_point"]
        assert spent == ["BEGIN IMMEDIATE", "runs_named", "logged_model_ids", *logged, "COMMIT"]

    def test_are_no_more_for_entries_that_are_refused(self, counted: Counted, runs: list[str]) -> None:
        fine, wrong = Batch((Metric("loss", 0.4),)), Batch((Metric("loss", 0.4),), (Param("lr", "other"),))
        entries = [LogEntry(run_id, fine) for run_id in runs]
        refused = [LogEntry(counted.run_id, wrong, JournalMark(f"w{number}", 1)) for number in range(500)]
        mixed = [*refused, *entries, *[LogEntry("nobody", fine)] * 500]
        spent = counted.of(lambda: counted.store.log_batches(mixed))
        known = ["marks", "add_mark", "marks", "runs_named", "params_of"]
        assert spent == ["BEGIN IMMEDIATE", *known, "drop_marks", "add_point", "put_latest", "COMMIT"]
        with counted.store.database.read() as transaction:
            assert transaction.rows("marks", {"writers": transaction.listed(["w0", "w499"])}) == []

    def test_of_a_tail_that_is_long_enough_are_those_of_sealing_it(self, counted: Counted, runs: list[str]) -> None:
        points = [tuple(Metric("loss", 0.4, step=step) for step in range(start, start + 500)) for start in (0, 500)]
        end = Ending("FINISHED", 5)
        entries = [LogEntry(runs[0], Batch(points[0])), LogEntry(runs[0], Batch(points[1], end=end))]
        assert counted.of(lambda: counted.store.log_batches(entries)).count("add_block") == 1
        assert len(counted.store.get_metric_history(runs[0], "loss")) == 1000

    def test_nothing_is_executed_for_nothing(self, counted: Counted) -> None:
        assert counted.of(lambda: counted.store.log_batches([])) == []


class TestStatementsOfModels:
    @pytest.fixture
    def model_id(self, counted: Counted) -> str:
        model = NewLoggedModel("0", params=(Param("lr", "0.1"),), tags=(Tag("a", "b"),))
        return counted.store.create_logged_model(model).model_id

    def test_of_a_new_one(self, counted: Counted) -> None:
        model = NewLoggedModel("0", params=(Param("lr", "0.1"),), tags=(Tag("a", "b"),))
        spent = counted.of(lambda: counted.store.create_logged_model(model))
        held = ["model_params_of", "model_tags_of", "model_points_of"]
        logged = ["add_logged_model", "add_model_param", "put_model_tag"]
        assert spent == ["BEGIN IMMEDIATE", "experiment_kept", *logged, *held, "COMMIT"]

    def test_of_a_change(self, counted: Counted, model_id: str) -> None:
        spent = counted.of(lambda: counted.store.update_logged_model(model_id, status="READY"))
        held = ["model_params_of", "model_tags_of", "model_points_of"]
        assert spent == ["BEGIN IMMEDIATE", "logged_model", "update_logged_model", *held, "COMMIT"]

    def test_of_metrics_are_three_more(self, counted: Counted, model_id: str) -> None:
        store, run_id = counted.store, counted.run_id
        store.log_inputs(run_id, [DatasetInput(WINE)])
        points = [Metric("loss", 0.4, step=step, model_id=model_id, **ON_WINE) for step in range(100)]
        spent = counted.of(lambda: store.log_batch(run_id, Batch(tuple(points))))
        linked = ["logged_model_ids", "datasets_named", "add_model_point"]
        assert [each for each in spent if each in linked] == linked
        assert len(spent) == len(counted.of(lambda: store.log_batch(run_id, Batch((Metric("loss", 0.4),))))) + 3

    def test_of_inputs(self, counted: Counted, model_id: str) -> None:
        def log() -> None:
            counted.store.log_inputs(counted.run_id, [DatasetInput(WINE)] * 20, [LoggedModelInput(model_id)])

        datasets = ["add_dataset", "datasets_named", "add_run_input"]
        first = ["BEGIN IMMEDIATE", "run", "logged_model_ids", "put_run_model", *datasets, "link_run", "COMMIT"]
        assert counted.of(log) == first
        assert counted.of(log) == [each for each in first if each != "link_run"]

    def test_of_reading_a_run_are_three_more_if_it_has_links(self, counted: Counted, model_id: str) -> None:
        counted.store.get_run(counted.run_id)
        plain = list(counted.of(lambda: counted.store.get_run(counted.run_id)))
        counted.store.log_outputs(counted.run_id, [LoggedModelOutput(model_id)])
        linked = counted.of(lambda: counted.store.get_run(counted.run_id))
        links = ["input_tags_of", "inputs_of", "run_models_of"]
        assert [*plain[:-1], *links, "COMMIT"] == linked


@pytest.fixture
def crowded(counted: Counted) -> Counted:
    """The same with so many runs that searches do not look at each of them."""
    with closing(sqlite3.connect(counted.path)) as raw:
        raw.execute("INSERT INTO keys (name) VALUES ('loss'), ('lr'), ('a'), ('x') ON CONFLICT DO NOTHING")
        loss, lr, a, x = (
            raw.execute("SELECT id FROM keys WHERE name = ?", (name,)).fetchone()[0]
            for name in ("loss", "lr", "a", "x")
        )
        for run in range(1000, 4000):
            raw.execute(
                "INSERT INTO runs VALUES (?, ?, 0, '', '', 'FINISHED', ?, 1, NULL, 'active', 0, NULL, 0)",
                (run, f"{run:032x}", run),
            )
            raw.execute("INSERT INTO latest_metric VALUES (?, ?, ?, 0, 0)", (run, loss, -run))
            raw.execute("INSERT INTO param VALUES (?, ?, ?)", (run, lr, f"{run}"))
            tags = run, a, "c" if run % 2 else "d", run, x
            raw.execute("INSERT INTO tag (run, key, value) VALUES (?, ?, ?), (?, ?, 'y')", tags)
        raw.commit()
    return counted


class TestIndexes:
    @pytest.mark.parametrize(
        ("text", "index"),
        [
            ("metrics.loss > 0.4", "ix_latest_metric_search (key=? AND value>?)"),
            ("params.lr = '0.1'", "COVERING INDEX ix_param_search (key=? AND value=?)"),
            ("tags.a = 'b'", "COVERING INDEX ix_tag_search (key=? AND value=?)"),
            ("params.lr < 1", "COVERING INDEX ix_param_search (key=?)"),
            ("tags.a LIKE '%b%'", "COVERING INDEX ix_tag_search (key=?)"),
            ("tags.a ILIKE '%B%'", "COVERING INDEX ix_tag_search (key=?)"),
        ],
    )
    def test_lead_to_what_few_runs_have(self, crowded: Counted, text: str, index: str) -> None:
        made = crowded.of(lambda: crowded.store.search_runs(["0"], f"NOT tags.x = 'z' AND {text}", ["metrics.loss"]))
        plans = _plans(crowded, [each for each in made if each.startswith("SELECT")])
        assert any(index in plan and "runs" not in plan for plan in plans)
        # The runs themselves are then looked up by their numbers.
        assert "SEARCH runs USING INTEGER PRIMARY KEY (rowid=?)" in plans[-1]

    @pytest.mark.parametrize("clause", ["metrics.loss", "metrics.loss DESC"])
    def test_give_the_order_of_a_metric(self, crowded: Counted, clause: str) -> None:
        made = crowded.of(lambda: crowded.store.search_runs(["0"], "tags.x = 'y'", [clause], max_results=10))
        plans = _plans(crowded, [each for each in made if each.startswith("SELECT")])
        assert plans[-1].startswith("SEARCH by0 USING COVERING INDEX ix_latest_metric_search (key=? AND value")
        assert len(plans) == 3

    @pytest.mark.parametrize("text", ["tags.x = 'y'", "metrics.loss < -1500 AND params.lr != '7'"])
    def test_are_walked_once_where_many_runs_meet_the_filter(self, crowded: Counted, text: str) -> None:
        made = crowded.of(lambda: crowded.store.search_runs(["0"], text, ["metrics.loss DESC"], max_results=10))
        assert len([each for each in made if each.startswith("SELECT")]) == 3

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
