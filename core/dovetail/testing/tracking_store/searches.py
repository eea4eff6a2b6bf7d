"""Stories about searching runs and experiments."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from dovetail.errors import InvalidFilter
from dovetail.testing.search_corpus import (
    DATASET_SEARCHES,
    EXPERIMENT_ORDERS,
    EXPERIMENT_SEARCHES,
    EXPERIMENTS,
    ORDERS,
    REFUSED_EXPERIMENT_FILTERS,
    REFUSED_EXPERIMENT_ORDERS,
    REFUSED_FILTERS,
    REFUSED_ORDERS,
    RUNS,
    SEARCHES,
)
from dovetail.testing.tracking_store.base import Stories, batch_of, point, snapshot, started, walk
from dovetail.values import Dataset, DatasetInput, InputTag, Metric, Page, Tag, ViewType

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from dovetail.testing.search_corpus import ExampleRun
    from dovetail.tracking.store import TrackingStore
    from dovetail.values import Run

__all__ = ["ExperimentSearchStories", "RunSearchStories"]

RUBBISH = ["rubbish", "é", "LTE=", "W10=", "e30="]


def create(store: TrackingStore, experiment_id: str, example: ExampleRun) -> str:
    """Create one run of the search corpus."""
    attributes = example["attributes"]
    status, end_time = str(attributes["status"]), attributes.get("end_time")
    run_id = started(
        store,
        experiment_id,
        run_id=attributes["run_id"],
        run_name=example["name"],
        user_id=attributes["user_id"],
        start_time=attributes["start_time"],
    )
    metrics = [Metric(key, value, timestamp=1000) for key, value in example["metrics"].items()]
    store.log_batch(run_id, batch_of(*metrics, params=example["params"], tags=example["tags"]))
    store.update_run(run_id, status=status, end_time=None if end_time is None else int(end_time))
    return run_id


def log_datasets(store: TrackingStore, example: ExampleRun) -> None:
    """Note which datasets a run of the search corpus has used."""
    used = [
        DatasetInput(
            Dataset(each["name"], each["digest"], "local", f"/data/{each['name']}"),
            (InputTag("mlflow.data.context", each["context"]),),
        )
        for each in example["datasets"]
    ]
    if used:
        store.log_inputs(str(example["attributes"]["run_id"]), used)


def names(runs: Sequence[Run]) -> list[str]:
    """The names of runs."""
    return [run.info.run_name for run in runs]


class RunSearchStories(Stories):
    """Filters, orders, views and pages of runs."""

    @pytest.fixture
    def corpus(self, store: TrackingStore) -> str:
        """An experiment that holds the runs of the search corpus, among others that hold look-alikes."""
        experiment_id = store.create_experiment("corpus")
        for example in RUNS:
            create(store, experiment_id, example)
        decoy = store.create_experiment("decoy")
        started(store, decoy, run_name="alpha", tags=(Tag("team", "vision"),))
        return experiment_id

    def test_filters_mean_the_same_in_every_store(self, store: TrackingStore, corpus: str) -> None:
        """Every search of the corpus finds the runs it must."""
        found = {text: frozenset(names(store.search_runs([corpus], text))) for text, _ in SEARCHES}
        assert {text: sorted(found[text]) for text, wanted in SEARCHES if found[text] != wanted} == {}

    def test_orders_mean_the_same_in_every_store(self, store: TrackingStore, corpus: str) -> None:
        """Every order of the corpus sorts the runs as it must."""
        found = {clauses: names(store.search_runs([corpus], order_by=clauses)) for clauses, _ in ORDERS}
        assert {clauses: found[clauses] for clauses, wanted in ORDERS if found[clauses] != wanted} == {}

    def test_what_cannot_be_parsed_is_refused(self, store: TrackingStore, corpus: str) -> None:
        """A filter or an order outside the grammar raises InvalidFilter, and nothing else happens."""
        for text in REFUSED_FILTERS:
            with pytest.raises(InvalidFilter):
                store.search_runs([corpus], text)
        for clauses in REFUSED_ORDERS:
            with pytest.raises(InvalidFilter):
                store.search_runs([corpus], order_by=clauses)
        assert len(store.search_runs([corpus])) == len(RUNS)

    def test_a_run_is_found_with_all_it_logged(self, store: TrackingStore, corpus: str) -> None:
        """What a search finds is what get_run gives."""
        found = store.search_runs([corpus])
        assert [snapshot(run) for run in found] == [snapshot(store.get_run(run.info.run_id)) for run in found]

    def test_filters_ask_for_the_datasets_that_runs_have_used(self, store: TrackingStore, corpus: str) -> None:
        """One dataset that fits is enough; what runs of other experiments have used is theirs."""
        for example in RUNS:
            log_datasets(store, example)
        other = started(store, store.create_experiment("other"))
        store.log_inputs(other, [DatasetInput(Dataset("train", "d1", "local", "x"))])
        found = {text: frozenset(names(store.search_runs([corpus], text))) for text, _ in DATASET_SEARCHES}
        assert {text: sorted(found[text]) for text, wanted in DATASET_SEARCHES if found[text] != wanted} == {}

    def test_filters_see_the_latest_point_alone(self, store: TrackingStore) -> None:
        """A metric is compared by its latest value; older points are not searched."""
        run_id = started(store)
        store.log_batch(run_id, batch_of(point(0.9, step=1), point(0.1, step=2)))
        assert list(store.search_runs(["0"], "metrics.loss > 0.5")) == []
        assert len(store.search_runs(["0"], "metrics.loss < 0.5")) == 1

    def test_a_search_sees_what_was_written_before_it(self, store: TrackingStore) -> None:
        """Renaming, tagging, ending and logging are seen by the next search."""
        run_id = started(store, run_name="fox")
        store.log_batch(run_id, batch_of(tags={"a": "1", "mlflow.runName": "hare"}))
        store.update_run(run_id, status="FINISHED", end_time=5000)
        text = "run_name = 'hare' AND tags.a = '1' AND status = 'FINISHED' AND end_time = 5000"
        assert names(store.search_runs(["0"], text)) == ["hare"]
        assert list(store.search_runs(["0"], "run_name = 'fox'")) == []

    def test_without_an_order_the_latest_start_comes_first(self, store: TrackingStore) -> None:
        """Runs go by start time, latest first, then run id; so do ties under an order."""
        for run_id, start_time in (("b", 2000), ("d", 1000), ("a", 2000), ("c", 3000)):
            started(store, run_id=run_id, start_time=start_time, user_id="ada")
        assert [run.info.run_id for run in store.search_runs(["0"])] == ["c", "a", "b", "d"]
        for clause in ("user_id", "user_id DESC", "metrics.nothing", "tags.nothing DESC"):
            assert [run.info.run_id for run in store.search_runs(["0"], order_by=[clause])] == ["c", "a", "b", "d"]

    def test_runs_are_searched_in_the_named_experiments(self, store: TrackingStore) -> None:
        """A search looks into the experiments it names, each once; unknown ones hold no runs."""
        first, second = store.create_experiment("first"), store.create_experiment("second")
        for start_time, experiment_id in enumerate([first, second, "0"]):
            started(store, experiment_id, run_name=experiment_id, start_time=start_time)
        assert names(store.search_runs([first, second])) == [second, first]
        assert names(store.search_runs([second, first, second, "987654321"])) == [second, first]
        assert list(store.search_runs([])) == []
        assert list(store.search_runs(["987654321"])) == []

    def test_a_view_shows_active_or_deleted_runs_or_both(self, store: TrackingStore) -> None:
        """By default a search shows active runs; a view shows the deleted ones, or all."""
        started(store, run_name="kept", start_time=2000)
        store.delete_run(started(store, run_name="gone", start_time=1000))
        shown = {view: names(store.search_runs(["0"], view_type=view)) for view in ViewType}
        assert shown == {
            ViewType.ACTIVE_ONLY: ["kept"],
            ViewType.DELETED_ONLY: ["gone"],
            ViewType.ALL: ["kept", "gone"],
        }
        assert names(store.search_runs(["0"])) == ["kept"]

    def test_runs_of_a_deleted_experiment_are_deleted_runs(self, store: TrackingStore) -> None:
        """Searching a deleted experiment shows its runs among the deleted ones."""
        experiment_id = store.create_experiment("wine")
        started(store, experiment_id, run_name="along")
        store.delete_experiment(experiment_id)
        assert list(store.search_runs([experiment_id])) == []
        assert names(store.search_runs([experiment_id], view_type=ViewType.DELETED_ONLY)) == ["along"]

    # --- pages -----------------------------------------------------------------------------------------------

    @pytest.mark.parametrize("size", [1, 3, 4, 8, 100])
    def test_pages_hold_every_run_once(self, store: TrackingStore, corpus: str, size: int) -> None:
        """Walking the pages gives every run once, in order, under any filter and order; the last has no token."""
        for clauses, wanted in ORDERS:
            for text in ("", "NOT metrics.acc > 1e200"):
                kept = [name for name in wanted if not text or name != "theta"]
                pages = walk(self._search(store, corpus, text, clauses, size))
                assert [name for page in pages for name in names(page)] == kept
                assert [len(page) for page in pages[:-1]] == [size] * ((len(kept) - 1) // size)

    def test_a_token_is_good_for_its_own_search_alone(self, store: TrackingStore, corpus: str) -> None:
        """A token with another filter, order, view or experiment raises InvalidFilter."""
        token = store.search_runs([corpus], max_results=2).token
        assert token is not None
        assert len(store.search_runs([corpus], max_results=2, page_token=token)) == 2
        with pytest.raises(InvalidFilter):
            store.search_runs([corpus], "metrics.acc < 1", max_results=2, page_token=token)
        with pytest.raises(InvalidFilter):
            store.search_runs([corpus], order_by=["metrics.acc"], max_results=2, page_token=token)
        with pytest.raises(InvalidFilter):
            store.search_runs([corpus], view_type=ViewType.ALL, max_results=2, page_token=token)
        with pytest.raises(InvalidFilter):
            store.search_runs(["0"], max_results=2, page_token=token)
        with pytest.raises(InvalidFilter):
            store.search_experiments(max_results=2, page_token=token)

    @pytest.mark.parametrize("token", RUBBISH)
    def test_a_malformed_token_is_refused(self, store: TrackingStore, token: str) -> None:
        """A token that no search handed out raises InvalidFilter."""
        with pytest.raises(InvalidFilter):
            store.search_runs(["0"], page_token=token)

    def _search(
        self, store: TrackingStore, experiment_id: str, text: str, clauses: Sequence[str], size: int
    ) -> Callable[[str | None], Page[Run]]:
        return lambda token: store.search_runs([experiment_id], text, clauses, max_results=size, page_token=token)


class ExperimentSearchStories(Stories):
    """Filters, orders, views and pages of experiments."""

    def test_the_newest_experiment_comes_first(self, store: TrackingStore) -> None:
        """Experiments go by creation time, newest first, then by id as a number, highest first."""
        ids = ["0", *(store.create_experiment(f"e{number}") for number in range(12))]
        assert [each.experiment_id for each in store.search_experiments()] == ids[::-1]

    def test_experiments_are_found_and_sorted_the_same_in_every_store(self, store: TrackingStore) -> None:
        """Every search and order of the corpus answers as it must."""
        for example in EXPERIMENTS:
            store.create_experiment(example["name"], tags=[Tag(*tag) for tag in example["tags"].items()])
        found = {text: {each.name for each in store.search_experiments(text)} for text, _ in EXPERIMENT_SEARCHES}
        assert {text: found[text] for text, wanted in EXPERIMENT_SEARCHES if found[text] != wanted} == {}
        for clauses, wanted in EXPERIMENT_ORDERS:
            assert [each.name for each in store.search_experiments(order_by=clauses)] == wanted

    def test_experiments_are_found_by_the_time_they_were_created_at(self, store: TrackingStore) -> None:
        """Creation times are compared as whole numbers of milliseconds."""
        experiment_id = store.create_experiment("wine")
        born = store.get_experiment(experiment_id).creation_time
        assert "wine" in {each.name for each in store.search_experiments(f"creation_time IN ({born})")}
        assert list(store.search_experiments(f"creation_time < {born} AND name = 'wine'")) == []

    def test_what_cannot_be_parsed_about_experiments_is_refused(self, store: TrackingStore) -> None:
        """A filter or order outside the grammar, or about what experiments have not, raises InvalidFilter."""
        for text in REFUSED_EXPERIMENT_FILTERS:
            with pytest.raises(InvalidFilter):
                store.search_experiments(text)
        for clauses in REFUSED_EXPERIMENT_ORDERS:
            with pytest.raises(InvalidFilter):
                store.search_experiments(order_by=clauses)

    def test_a_view_shows_active_or_deleted_experiments_or_both(self, store: TrackingStore) -> None:
        """By default a search shows active experiments; a view shows the deleted ones, or all."""
        gone = store.create_experiment("gone")
        store.delete_experiment(gone)
        shown = {view: [each.experiment_id for each in store.search_experiments(view_type=view)] for view in ViewType}
        assert shown == {ViewType.ACTIVE_ONLY: ["0"], ViewType.DELETED_ONLY: [gone], ViewType.ALL: [gone, "0"]}
        assert [each.experiment_id for each in store.search_experiments()] == ["0"]

    def test_what_is_found_is_whole(self, store: TrackingStore) -> None:
        """What a search finds is what get_experiment gives, tags included."""
        store.create_experiment("wine", "s3://bucket/x", tags=[Tag("a", "1")])
        found = store.search_experiments()
        assert list(found) == [store.get_experiment(each.experiment_id) for each in found]

    def test_pages_hold_every_experiment_once(self, store: TrackingStore) -> None:
        """Among many experiments, walking the pages gives every one once, in order; the last page has no token."""
        wanted = ["0", *(store.create_experiment(f"e{number}", tags=[Tag("a", "1")]) for number in range(119))][::-1]
        page = store.search_experiments(max_results=40)
        found = [page]
        while page.token is not None and len(found) < 10:
            page = store.search_experiments(max_results=40, page_token=page.token)
            found.append(page)
        assert [each.experiment_id for page in found for each in page] == wanted
        assert [len(each) for each in found] == [40, 40, 40]

    def test_a_token_of_experiments_is_good_for_its_own_search_alone(self, store: TrackingStore) -> None:
        """A token with another filter, order or view, or one nobody handed out, raises InvalidFilter."""
        store.create_experiment("a")
        store.create_experiment("b")
        token = store.search_experiments(max_results=1).token
        assert token is not None
        with pytest.raises(InvalidFilter):
            store.search_experiments("name = 'a'", max_results=1, page_token=token)
        with pytest.raises(InvalidFilter):
            store.search_experiments(order_by=["name"], max_results=1, page_token=token)
        with pytest.raises(InvalidFilter):
            store.search_experiments(view_type=ViewType.ALL, max_results=1, page_token=token)
        for rubbish in RUBBISH:
            with pytest.raises(InvalidFilter):
                store.search_experiments(max_results=1, page_token=rubbish)
