"""Stories about runs that move to another experiment."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from dovetail.errors import InvalidInput, NotFound, RunEnded
from dovetail.testing.tracking_store.base import Stories, batch_of, plain, point, snapshot, started
from dovetail.values import Dataset, DatasetInput, InputTag, LoggedModelOutput, Metric, NewLoggedModel

if TYPE_CHECKING:
    from dovetail.tracking.store import TrackingStore

__all__ = ["MoveStories"]

WINE = Dataset("wine", "d1", "local", '{"uri": "here"}')


class MoveStories(Stories):
    """A run moves to another experiment with all it logged."""

    def test_a_run_moves_with_all_it_logged(self, store: TrackingStore) -> None:
        """Everything but its experiment stays: metrics and their history, params, tags, times, the artifacts' place."""
        there = store.create_experiment("there")
        run_id = started(store, run_name="fox", start_time=1234)
        store.log_batch(run_id, batch_of(point(0.5), point(0.25, 1), params={"lr": "1"}, tags={"team": "a"}))
        store.update_run(run_id, status="FINISHED", end_time=5000)
        before, points = store.get_run(run_id), plain(store.get_metric_history(run_id, "loss"))
        store.move_run(run_id, there)
        moved = replace(before, info=replace(before.info, experiment_id=there))
        assert snapshot(store.get_run(run_id)) == snapshot(moved)
        assert plain(store.get_metric_history(run_id, "loss")) == points

    def test_searches_find_it_where_it_is(self, store: TrackingStore) -> None:
        """It is found in its new experiment, by what it logged too, and no more in the old one."""
        there = store.create_experiment("there")
        run_id = started(store)
        store.log_batch(run_id, batch_of(point(0.5), params={"lr": "1"}))
        store.move_run(run_id, there)
        for condition in (None, "metrics.loss = 0.5", "params.lr = '1'"):
            assert list(store.search_runs(["0"], condition)) == []
            assert [run.info.run_id for run in store.search_runs([there], condition)] == [run_id]

    def test_it_goes_on_logging(self, store: TrackingStore) -> None:
        """A run that is going on logs to the same run afterwards."""
        there = store.create_experiment("there")
        run_id = started(store)
        store.move_run(run_id, there)
        store.log_batch(run_id, batch_of(point(0.5)))
        assert store.get_run(run_id).data.metrics == {"loss": 0.5}

    def test_moving_it_to_where_it_is_changes_nothing(self, store: TrackingStore) -> None:
        """A run may be moved to its own experiment, and back again, and is then as it was."""
        there = store.create_experiment("there")
        run_id = started(store)
        before = snapshot(store.get_run(run_id))
        store.move_run(run_id, "0")
        assert snapshot(store.get_run(run_id)) == before
        store.move_run(run_id, there)
        store.move_run(run_id, "0")
        assert snapshot(store.get_run(run_id)) == before

    def test_its_artifacts_stay_where_they_are(self, store: TrackingStore) -> None:
        """Their place is that of the old experiment, also when that one has gone for good."""
        here = store.create_experiment("here")
        run_id = started(store, here)
        place = store.get_run(run_id).info.artifact_uri
        store.move_run(run_id, "0")
        store.delete_experiment(here)
        (item,) = store.discarded()
        store.condemn(item)
        store.purge(item)
        assert store.get_run(run_id).info.artifact_uri == place

    def test_it_goes_with_its_new_experiment(self, store: TrackingStore) -> None:
        """Deleting and restoring experiments takes along the runs that are there now."""
        here, there = store.create_experiment("here"), store.create_experiment("there")
        run_id = started(store, here)
        store.move_run(run_id, there)
        store.delete_experiment(here)
        assert store.get_run(run_id).info.lifecycle_stage == "active"
        store.delete_experiment(there)
        assert store.get_run(run_id).info.lifecycle_stage == "deleted"
        store.restore_experiment(there)
        assert store.get_run(run_id).info.lifecycle_stage == "active"

    def test_nothing_moves_to_where_nothing_may_be_added(self, store: TrackingStore) -> None:
        """An unknown run or experiment, a deleted one of either: an error, and the run stays where it was."""
        deleted = store.create_experiment("deleted")
        store.delete_experiment(deleted)
        run_id, gone = started(store), started(store)
        store.delete_run(gone)
        with pytest.raises(InvalidInput):
            store.move_run(run_id, deleted)
        with pytest.raises(NotFound):
            store.move_run(run_id, "999")
        with pytest.raises(NotFound):
            store.move_run("nobody", "0")
        there = store.create_experiment("there")
        with pytest.raises(RunEnded):
            store.move_run(gone, there)
        assert [store.get_run(each).info.experiment_id for each in (run_id, gone)] == ["0", "0"]

    def test_what_it_used_goes_along(self, store: TrackingStore) -> None:
        """Its new experiment knows its datasets, also when the old experiment is gone; other runs keep theirs."""
        here, there = store.create_experiment("here"), store.create_experiment("there")
        model_id = store.create_logged_model(NewLoggedModel("0")).model_id
        run_id, other = started(store, here), started(store, here)
        used = DatasetInput(WINE, (InputTag("mlflow.data.context", "training"),))
        for each in (run_id, other):
            store.log_inputs(each, [used])
            store.log_outputs(each, [LoggedModelOutput(model_id, 3)])
        store.log_batch(run_id, batch_of(measured(model_id)))
        before, points = store.get_run(run_id), store.get_logged_model(model_id).metrics
        store.move_run(run_id, there)
        assert store.get_run(run_id).inputs == before.inputs
        assert store.get_run(run_id).outputs == before.outputs
        assert store.get_run(other).inputs == before.inputs
        assert store.get_logged_model(model_id).metrics == points
        empty_bin_of(store, here)
        assert store.get_run(run_id).inputs == before.inputs
        assert store.get_logged_model(model_id).metrics == points
        newcomer = started(store, there)
        store.log_inputs(newcomer, [DatasetInput(replace(WINE, source='{"uri": "elsewhere"}'))])
        assert [each.dataset for each in store.get_run(newcomer).inputs.dataset_inputs] == [WINE]

    def test_two_runs_with_one_dataset_share_it_there(self, store: TrackingStore) -> None:
        """A dataset that the new experiment knows already is that one, also under another description."""
        there = store.create_experiment("there")
        first, second = started(store, there), started(store)
        store.log_inputs(first, [DatasetInput(WINE)])
        store.log_inputs(second, [DatasetInput(replace(WINE, source='{"uri": "elsewhere"}'))])
        store.move_run(second, there)
        assert store.get_run(second).inputs.dataset_inputs[0].dataset == WINE


def measured(model_id: str, step: int = 0) -> Metric:
    """A point of a model that was measured on the dataset."""
    return Metric("acc", 0.5, 1000, step, model_id=model_id, dataset_name=WINE.name, dataset_digest=WINE.digest)


def empty_bin_of(store: TrackingStore, experiment_id: str) -> None:
    """Delete an experiment, and take it away for good with all that is in it."""
    store.delete_experiment(experiment_id)
    for item in store.discarded():
        store.condemn(item)
        store.purge(item)
