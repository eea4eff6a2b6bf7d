"""Stories about training that goes on from an earlier step."""

from __future__ import annotations

from math import nan
from typing import TYPE_CHECKING

import pytest

from dovetail.errors import NotFound, RunEnded
from dovetail.testing.tracking_store.base import Stories, batch_of, plain, point, started
from dovetail.values import Metric, NewLoggedModel

if TYPE_CHECKING:
    from dovetail.tracking.store import TrackingStore

__all__ = ["RewindStories"]


def steps(store: TrackingStore, run_id: str, key: str = "loss") -> list[int]:
    """The steps of a metric, in the order of its history."""
    return [metric.step for metric in store.get_metric_history(run_id, key)]


class RewindStories(Stories):
    """Taking away the points of a step and of later ones."""

    def test_points_of_a_step_and_later_ones_are_taken_away(self, store: TrackingStore) -> None:
        """What came before stays, and the latest point of each metric is the latest of what is left."""
        run_id = started(store)
        points = [point(float(step), step, 1000 + step, key) for step in range(10) for key in ("loss", "acc")]
        store.log_batch(run_id, batch_of(*points, params={"lr": "1"}, tags={"a": "1"}))
        store.drop_points(run_id, 4)
        assert steps(store, run_id) == steps(store, run_id, "acc") == [0, 1, 2, 3]
        data = store.get_run(run_id).data
        assert sorted(plain(data.latest)) == [("acc", "3.0", 1003, 3), ("loss", "3.0", 1003, 3)]
        assert (data.params, data.tags["a"]) == ({"lr": "1"}, "1")
        assert list(store.get_metric_series([run_id], "loss")[run_id].steps) == [0, 1, 2, 3]

    def test_metrics_that_began_later_are_gone(self, store: TrackingStore) -> None:
        """A metric without points is none; a search does not find it."""
        run_id = started(store)
        store.log_batch(run_id, batch_of(point(1.0, 1), point(2.0, 5, key="acc"), point(nan, 7, key="f1")))
        store.drop_points(run_id, 5)
        assert store.get_run(run_id).data.metrics == {"loss": 1.0}
        assert list(store.search_runs(["0"], "metrics.acc > 0")) == []
        assert list(store.get_metric_history(run_id, "acc")) == []

    def test_the_same_steps_can_be_logged_again(self, store: TrackingStore) -> None:
        """Their points are those that were logged last."""
        run_id = started(store)
        store.log_batch(run_id, batch_of(*(point(0.5, step, 1000 + step) for step in range(6))))
        store.drop_points(run_id, 3)
        store.log_batch(run_id, batch_of(*(point(0.1, step, 2000 + step) for step in range(3, 5))))
        assert steps(store, run_id) == [0, 1, 2, 3, 4]
        assert store.get_run(run_id).data.metrics == {"loss": 0.1}

    def test_long_histories_are_cut_anywhere(self, store: TrackingStore) -> None:
        """However a store keeps ten thousand points, exactly those of later steps go."""
        run_id = started(store)
        for start in range(0, 10_000, 1000):
            store.log_batch(run_id, batch_of(*(point(1 / (n + 1), n, 1000 + n) for n in range(start, start + 1000))))
        store.drop_points(run_id, 5003)
        assert steps(store, run_id) == list(range(5003))
        assert store.get_run(run_id).data.metrics == {"loss": 1 / 5003}
        store.update_run(run_id, status="FINISHED")
        store.drop_points(run_id, 17)
        assert steps(store, run_id) == list(range(17))

    def test_metrics_of_the_machine_stay(self, store: TrackingStore) -> None:
        """Their steps count samples."""
        run_id = started(store)
        store.log_batch(run_id, batch_of(point(1.0, 90, key="system/cpu"), point(1.0, 90, key="systems/cpu")))
        store.drop_points(run_id, 3)
        assert set(store.get_run(run_id).data.metrics) == {"system/cpu"}

    def test_points_of_logged_models_stay_with_the_models(self, store: TrackingStore) -> None:
        """A model of a later step is there still, and what was measured on it holds."""
        run_id = started(store)
        model_id = store.create_logged_model(NewLoggedModel("0", source_run_id=run_id)).model_id
        store.log_batch(run_id, batch_of(Metric("acc", 0.9, 1000, 8, model_id)))
        store.drop_points(run_id, 5)
        assert store.get_run(run_id).data.metrics == {}
        assert [metric.step for metric in store.get_logged_model(model_id).metrics] == [8]

    def test_nothing_to_take_away_changes_nothing(self, store: TrackingStore) -> None:
        """A run without points, and one whose points all came before."""
        empty, run_id = started(store), started(store)
        store.log_batch(run_id, batch_of(point(0.5, 3), point(0.25, -2)))
        store.drop_points(empty, 0)
        store.drop_points(run_id, 4)
        assert sorted(steps(store, run_id)) == [-2, 3]
        store.drop_points(run_id, -5)
        assert steps(store, run_id) == []

    def test_unknown_and_deleted_runs_are_refused(self, store: TrackingStore) -> None:
        """As for any other change of a run."""
        with pytest.raises(NotFound):
            store.drop_points("nobody", 0)
        run_id = started(store)
        store.delete_run(run_id)
        with pytest.raises(RunEnded):
            store.drop_points(run_id, 0)
