"""Stories about searches that give some columns of runs, plain rows, or a number."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from dovetail.errors import InvalidFilter
from dovetail.testing.search_corpus import ORDERS, RUNS, SEARCHES
from dovetail.testing.tracking_store.base import Stories, batch_of, point, started
from dovetail.testing.tracking_store.searches import create
from dovetail.values import ViewType

if TYPE_CHECKING:
    from dovetail.tracking.store import TrackingStore

__all__ = ["ColumnStories"]


class ColumnStories(Stories):
    """Columns, rows and counts of runs."""

    @pytest.fixture
    def place(self, store: TrackingStore) -> str:
        """An experiment that holds the runs of the search corpus."""
        experiment_id = store.create_experiment("corpus")
        for example in RUNS:
            create(store, experiment_id, example)
        return experiment_id

    def test_runs_hold_the_columns_that_were_asked_for(self, store: TrackingStore, place: str) -> None:
        """Metrics, params and tags that are no columns are left out; metadata is there always."""
        columns = ["metrics.acc", "metrics.`val loss`", "params.*", "tags.nothing"]
        for run in store.search_runs([place], columns=columns):
            whole = store.get_run(run.info.run_id)
            kept = {key: value for key, value in whole.data.metrics.items() if key in ("acc", "val loss")}
            assert repr(run.data.metrics) == repr(kept)
            assert {metric.key for metric in run.data.latest} == kept.keys()
            assert (run.info, run.data.params, run.data.tags) == (whole.info, whole.data.params, {})

    def test_no_columns_leave_the_metadata(self, store: TrackingStore, place: str) -> None:
        """An empty list of columns is none, not all."""
        (run,) = store.search_runs([place], "run_name = 'alpha'", columns=[])
        assert (run.info.run_name, run.data.metrics, run.data.params, run.data.tags) == ("alpha", {}, {}, {})

    def test_columns_change_neither_order_nor_pages(self, store: TrackingStore, place: str) -> None:
        """What is searched and sorted by need not be among the columns; tokens are good with other columns, too."""
        for clauses, wanted in ORDERS:
            first = store.search_runs([place], order_by=clauses, max_results=3, columns=["run_id"])
            rest = store.search_runs([place], order_by=clauses, page_token=first.token)
            assert [run.info.run_name for run in (*first, *rest)] == wanted

    def test_rows_are_the_values_of_the_columns(self, store: TrackingStore, place: str) -> None:
        """A row has one value for each column, in their order, and None where the run has nothing."""
        columns = ["run_name", "metrics.acc", "params.model", "tags.team", "end_time", "experiment_id", "metrics.none"]
        rows = store.search_run_rows([place], columns, "metrics.acc > 0.7", ["start_time"])
        assert list(rows) == [
            ("alpha", 0.9, "RandomForest", "vision", 2000, place, None),
            ("gamma", 0.75, "SVM", "nlp", None, place, None),
            ("eta", 0.9, None, None, 7500, place, None),
            ("theta", 1e300, "nan", "日本", 8000, place, None),
        ]
        ((value, again),) = store.search_run_rows([place], ["metrics.acc", "metric.`acc`"], "run_name = 'zeta'")
        assert value != value  # noqa: PLR0124 - only NaN differs from itself
        assert again != again  # noqa: PLR0124

    def test_rows_hold_all_metadata(self, store: TrackingStore, place: str) -> None:
        """Every part of a run's metadata is a column."""
        columns = ["run_id", "user_id", "status", "start_time", "artifact_uri", "lifecycle_stage"]
        run = store.get_run(f"{1:032x}")
        wanted = tuple(getattr(run.info, column) for column in columns)
        assert list(store.search_run_rows([place], columns, "run_name = 'alpha'")) == [wanted]

    def test_rows_come_page_by_page(self, store: TrackingStore, place: str) -> None:
        """Walking the pages gives every row once, in order."""
        for clauses, wanted in ORDERS:
            found: list[str] = []
            token = None
            while len(found) < len(wanted):
                page = store.search_run_rows([place], ["run_name"], order_by=clauses, max_results=3, page_token=token)
                found.extend(name for (name,) in page)
                token = page.token
            assert (found, token) == (wanted, None)

    def test_what_is_no_column_is_refused(self, store: TrackingStore, place: str) -> None:
        """Unknown columns raise InvalidFilter, in rows all of a kind do, too; also where nothing is found."""
        for columns in (["acc"], ["datasets.name"], ["metrics."], "run_id"):
            with pytest.raises(InvalidFilter):
                store.search_runs([place], columns=columns)
        for text in ("", "run_id = 'none'"):
            with pytest.raises(InvalidFilter):
                store.search_run_rows([place], ["metrics.*"], text)

    def test_counts_are_the_number_of_runs_found(self, store: TrackingStore, place: str) -> None:
        """Every search of the corpus is counted as it is found."""
        counted = {text: store.count_runs([place], text) for text, _ in SEARCHES}
        assert counted == {text: len(wanted) for text, wanted in SEARCHES}

    def test_counts_look_where_searches_look(self, store: TrackingStore, place: str) -> None:
        """A count has a view and experiments like a search."""
        run_id = started(store)
        store.log_batch(run_id, batch_of(point(0.5)))
        assert store.count_runs([place, "0"]) == len(RUNS) + 1
        assert store.count_runs(["0"], "metrics.loss = 0.5") == 1
        assert store.count_runs([]) == 0
        store.delete_run(run_id)
        assert [store.count_runs(["0"], view_type=view) for view in ViewType] == [
            len(store.search_runs(["0"], view_type=view)) for view in ViewType
        ]
        with pytest.raises(InvalidFilter):
            store.count_runs([place], "metrics.acc >")
