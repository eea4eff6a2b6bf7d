"""Stories about searches for the datasets that runs used."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dovetail.testing.tracking_store.base import Stories, batch_of, started
from dovetail.testing.tracking_store.links import data, used
from dovetail.testing.tracking_store.logged_models import made
from dovetail.values import DatasetSummary, Metric

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dovetail.tracking.store import TrackingStore

__all__ = ["DatasetSearchStories"]


def uses(found: Sequence[DatasetSummary]) -> list[tuple[str, str, str]]:
    """Name, digest and context of what was found."""
    return [(each.name, each.digest, each.context) for each in found]


class DatasetSearchStories(Stories):
    """Which datasets runs used, and what for."""

    def test_each_use_of_a_dataset_is_told_once(self, store: TrackingStore) -> None:
        """However many runs used the same data for the same thing."""
        for _ in range(3):
            store.log_inputs(started(store), [used(data(), context="training"), used(data("b"), context="eval")])
        assert store.search_datasets(["0"]) == [
            DatasetSummary("0", "b", "1", "eval"),
            DatasetSummary("0", "wine", "1", "training"),
        ]

    def test_uses_for_different_things_are_told_apart(self, store: TrackingStore) -> None:
        """The context is empty where no tag says it, whatever other tags say."""
        for tags in ({"context": "training"}, {"context": "eval", "a": "b"}, {"a": "training"}, {}):
            store.log_inputs(started(store), [used(data(), **tags)])
        assert uses(store.search_datasets(["0"])) == [("wine", "1", each) for each in ("", "eval", "training")]

    def test_uses_go_by_name_digest_context_and_experiment(self, store: TrackingStore) -> None:
        """By code point, experiments by their numbers; a limit leaves the first ones in this order."""
        ids = ["0", *(store.create_experiment(str(number)) for number in range(10))]
        for place in (ids[10], ids[2]):
            store.log_inputs(started(store, place), [used(data("a", "2"), context="x")])
        names = [("b", "1"), ("a", "3"), ("é", "1"), ("a", "2"), ("B", "1"), ("a", "2 ")]
        store.log_inputs(started(store), [used(data(*each), context="w") for each in names])
        wanted = [
            ("B", "1", "w", "0"),
            ("a", "2", "w", "0"),
            ("a", "2", "x", ids[2]),
            ("a", "2", "x", ids[10]),
            ("a", "2 ", "w", "0"),
            ("a", "3", "w", "0"),
            ("b", "1", "w", "0"),
            ("é", "1", "w", "0"),
        ]
        for limit in (1, 3, len(wanted), 1000):
            found = store.search_datasets(ids[::-1], limit)
            assert [(each.name, each.digest, each.context, each.experiment_id) for each in found] == wanted[:limit]

    def test_only_datasets_of_these_experiments_are_told(self, store: TrackingStore) -> None:
        """Unknown ids hold none, and an id that comes twice counts once."""
        other = store.create_experiment("other")
        store.log_inputs(started(store), [used(data("a"))])
        store.log_inputs(started(store, other), [used(data("b"))])
        asked: dict[tuple[str, ...], list[str]] = {
            ("0",): ["a"],
            (other, other): ["b"],
            ("0", other): ["a", "b"],
            ("99", "wine", ""): [],
            (): [],
        }
        found = {ids: [each.name for each in store.search_datasets(ids)] for ids in asked}
        assert found == asked

    def test_datasets_of_runs_in_the_bin_are_not_told(self, store: TrackingStore) -> None:
        """They are again as soon as the run is restored."""
        run_id = started(store)
        store.log_inputs(run_id, [used(data())])
        store.delete_run(run_id)
        assert store.search_datasets(["0"]) == []
        store.restore_run(run_id)
        assert uses(store.search_datasets(["0"])) == [("wine", "1", "")]

    def test_a_dataset_that_only_a_metric_names_is_no_use(self, store: TrackingStore) -> None:
        """Nor does a second use by a run count, whose first tags hold."""
        store.log_batch(started(store), batch_of(Metric("acc", 0.5, 1000, 1, made(store), "measured", "1")))
        run_id = started(store)
        for context in ("training", "eval"):
            store.log_inputs(run_id, [used(data(), context=context)])
        assert uses(store.search_datasets(["0"])) == [("wine", "1", "training")]
