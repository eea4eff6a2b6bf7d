"""Stories about what is deleted, and how it goes for good."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from dovetail import plugins, uris
from dovetail.errors import AlreadyExists, InvalidState, NotFound
from dovetail.testing.tracking_store.base import Stories, batch_of, history, point, snapshot, started
from dovetail.testing.writer_process import WriterProcess
from dovetail.values import Dataset, DatasetInput, LoggedModelOutput, Metric, NewLoggedModel, NewRun, Tag, ViewType
from dovetail.values.measure import now_ms

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from dovetail.tracking.bin import Discarded
    from dovetail.tracking.store import TrackingStore

__all__ = ["BinStories"]

WRITER = "dovetail.testing.tracking_store.writer"


class BinStories(Stories):
    """What lies in the bin is listed, condemned, and purged."""

    # --- what lies there -------------------------------------------------------------------------------------

    def test_the_bin_is_empty_at_first(self, store: TrackingStore) -> None:
        """Nothing lies in the bin before something is deleted, nor once it was restored."""
        run_id = started(store)
        assert list(store.discarded()) == []
        store.delete_run(run_id)
        store.restore_run(run_id)
        assert list(store.discarded()) == []

    def test_a_deleted_run_lies_in_the_bin_with_what_is_known_of_it(self, store: TrackingStore) -> None:
        """Kind, id, name, experiment, artifacts and the moment of deletion are told."""
        began = now_ms()
        run_id = started(store, run_name="fox")
        place = store.get_run(run_id).info.artifact_uri
        store.delete_run(run_id)
        (item,) = store.discarded()
        assert (item.kind, item.id, item.name, item.experiment_id) == ("run", run_id, "fox", "0")
        assert (item.artifact_uri, item.condemned) == (place, False)
        assert began <= item.deletion_time <= now_ms()

    def test_deleting_again_keeps_the_moment(self, store: TrackingStore) -> None:
        """Deleting what is deleted does not make it younger, nor does deleting its experiment."""
        experiment_id = store.create_experiment("wine")
        run_id = started(store, experiment_id)
        store.delete_run(run_id)
        (before,) = store.discarded()
        pause()
        store.delete_run(run_id)
        store.delete_experiment(experiment_id)
        assert only(store, "run").deletion_time == before.deletion_time

    def test_an_experiment_takes_its_runs_along(self, store: TrackingStore) -> None:
        """The runs of a deleted experiment lie in the bin before it; restoring takes all of them out."""
        experiment_id = store.create_experiment("wine")
        run_id = started(store, experiment_id)
        store.delete_experiment(experiment_id)
        assert named(store) == [("run", run_id), ("experiment", experiment_id)]
        experiment = only(store, "experiment")
        assert (experiment.name, experiment.experiment_id) == ("wine", experiment_id)
        assert experiment.artifact_uri == store.get_experiment(experiment_id).artifact_location
        store.restore_experiment(experiment_id)
        assert named(store) == []

    def test_the_oldest_comes_first(self, store: TrackingStore) -> None:
        """Runs come before experiments, and in the order in which they were deleted."""
        experiment_id = store.create_experiment("wine")
        runs = [started(store) for _ in range(3)]
        store.delete_experiment(experiment_id)
        for run_id in runs:
            pause()
            store.delete_run(run_id)
        assert named(store) == [*(("run", run_id) for run_id in runs), ("experiment", experiment_id)]

    def test_only_what_was_deleted_before_a_moment(self, store: TrackingStore) -> None:
        """A limit leaves out what was deleted then or later; what is condemned is told all the same."""
        old, new = started(store), started(store)
        store.delete_run(old)
        pause()
        limit = now_ms()
        store.delete_run(new)
        assert [item.id for item in store.discarded(limit)] == [old]
        assert list(store.discarded(0)) == []
        store.condemn(next(item for item in store.discarded() if item.id == new))
        assert {item.id for item in store.discarded(limit)} == {old, new}
        assert [item.id for item in store.discarded(0)] == [new]

    # --- condemning ------------------------------------------------------------------------------------------

    def test_a_condemned_run_is_found_no_more(self, store: TrackingStore) -> None:
        """It cannot be read, searched, restored, deleted or written to; condemning it again is fine."""
        item = binned_run(store)
        assert store.condemn(item)
        assert store.condemn(item)
        for attempt in (store.get_run, store.restore_run, store.delete_run):
            with pytest.raises(NotFound):
                attempt(item.id)
        with pytest.raises(NotFound):
            store.log_batch(item.id, batch_of(tags={"a": "1"}), ended=True)
        with pytest.raises(NotFound):
            store.update_run(item.id, status="FINISHED")
        assert list(store.search_runs(["0"], view_type=ViewType.ALL)) == []
        assert list(store.get_metric_history(item.id, "loss")) == []
        assert [each.condemned for each in store.discarded()] == [True]

    def test_the_id_of_a_condemned_run_is_taken(self, store: TrackingStore) -> None:
        """Nobody gets the id, and with it the artifacts, of a run that is half gone; afterwards it is free."""
        item = binned_run(store)
        store.condemn(item)
        with pytest.raises(AlreadyExists):
            store.create_run(NewRun("0", run_id=item.id))
        store.purge(item)
        started(store, run_id=item.id)

    def test_what_was_restored_is_not_condemned(self, store: TrackingStore) -> None:
        """Condemning what left the bin meanwhile, or never was, changes nothing and is False."""
        item = binned_run(store)
        store.restore_run(item.id)
        assert not store.condemn(item)
        assert store.get_run(item.id).info.lifecycle_stage == "active"
        store.delete_run(item.id)
        store.condemn(item)
        store.purge(item)
        assert not store.condemn(item)

    def test_a_condemned_experiment_is_found_no_more(self, store: TrackingStore) -> None:
        """Neither its id nor its name finds it, and its name stays taken until it is purged."""
        item = binned_experiment(store)
        assert store.condemn(item)
        with pytest.raises(NotFound):
            store.get_experiment(item.id)
        with pytest.raises(NotFound):
            store.restore_experiment(item.id)
        assert store.get_experiment_by_name("wine") is None
        assert [each.name for each in store.search_experiments(view_type=ViewType.ALL)] == ["Default"]
        with pytest.raises(AlreadyExists):
            store.create_experiment("wine")
        with pytest.raises(NotFound):
            store.create_run(NewRun(item.id))

    def test_a_condemned_run_stays_condemned_with_its_experiment(self, store: TrackingStore) -> None:
        """Deleting and restoring the experiment does not bring back a run that is being taken away."""
        experiment_id = store.create_experiment("wine")
        item = binned_run(store, experiment_id)
        store.condemn(item)
        store.delete_experiment(experiment_id)
        store.restore_experiment(experiment_id)
        with pytest.raises(NotFound):
            store.get_run(item.id)
        assert only(store, "run").condemned

    def test_one_of_two_wins(self, store: TrackingStore) -> None:
        """Of restoring and condemning at once one succeeds, and the run is what the one says."""
        for _ in range(10):
            item = binned_run(store)
            with ThreadPoolExecutor(2) as pool:
                condemned, restored = pool.submit(store.condemn, item), pool.submit(restore, store, item)
            assert condemned.result() != restored.result()
            found = [run.info.run_id for run in store.search_runs(["0"], view_type=ViewType.ALL)]
            assert (item.id in found) == restored.result()

    def test_one_of_two_wins_a_model(self, store: TrackingStore) -> None:
        """Of restoring and condemning a logged model at once one succeeds, too."""
        for _ in range(10):
            model_id = store.create_logged_model(NewLoggedModel("0")).model_id
            store.delete_logged_model(model_id)
            item = next(each for each in store.discarded() if each.id == model_id)
            with ThreadPoolExecutor(2) as pool:
                condemned, restored = pool.submit(store.condemn, item), pool.submit(restore, store, item)
            assert condemned.result() != restored.result()
            assert (model_id in [each.model_id for each in store.search_logged_models(["0"])]) == restored.result()

    # --- purging ---------------------------------------------------------------------------------------------

    def test_what_is_not_condemned_is_not_purged(self, store: TrackingStore) -> None:
        """Purging what is only in the bin, or in use again, raises InvalidState and changes nothing."""
        item = binned_run(store)
        with pytest.raises(InvalidState):
            store.purge(item)
        store.restore_run(item.id)
        before = snapshot(store.get_run(item.id))
        with pytest.raises(InvalidState):
            store.purge(item)
        assert snapshot(store.get_run(item.id)) == before

    def test_a_purged_run_is_gone(self, store: TrackingStore) -> None:
        """Nothing of it is left, and nothing of other runs is gone; purging it again finds nothing."""
        other = started(store)
        store.log_batch(other, batch_of(point(0.5), params={"lr": "1"}, tags={"team": "a"}))
        before = snapshot(store.get_run(other))
        item = binned_run(store)
        store.condemn(item)
        assert store.purge(item)
        assert not store.purge(item)
        assert list(store.discarded()) == []
        assert snapshot(store.get_run(other)) == before
        again = store.create_run(NewRun("0", run_id=item.id))
        assert (again.data.metrics, again.data.params, again.data.tags) == ({}, {}, {})
        assert list(store.get_metric_history(item.id, "loss")) == []
        assert [run.info.run_id for run in store.search_runs(["0"], "params.lr = '1'")] == [other]

    def test_a_long_history_goes_too(self, store: TrackingStore) -> None:
        """Purging takes away more points than any store would in one piece."""
        item = binned_run(store, points=25_000)
        store.condemn(item)
        assert store.purge(item)
        started(store, run_id=item.id)
        assert list(store.get_metric_history(item.id, "loss")) == []

    def test_an_experiment_goes_last(self, store: TrackingStore) -> None:
        """An experiment that still has a run cannot be purged; without runs it can, and its name is free."""
        experiment_id = store.create_experiment("wine", tags=[Tag("a", "1")])
        started(store, experiment_id)
        store.delete_experiment(experiment_id)
        run, experiment = store.discarded()
        store.condemn(experiment)
        with pytest.raises(InvalidState):
            store.purge(experiment)
        store.condemn(run)
        with pytest.raises(InvalidState):
            store.purge(experiment)
        store.purge(run)
        assert store.purge(experiment)
        assert list(store.discarded()) == []
        again = store.create_experiment("wine")
        assert int(again) > int(experiment_id)
        assert store.get_experiment(again).tags == {}

    def test_ids_of_purged_experiments_are_not_given_again(self, store: TrackingStore) -> None:
        """Artifact folders are named by ids, so nobody gets one that somebody had."""
        item = binned_experiment(store)
        store.condemn(item)
        store.purge(item)
        assert int(store.create_experiment("next")) > int(item.id)

    def test_what_a_run_used_and_made_goes_with_it(self, store: TrackingStore) -> None:
        """Inputs, outputs and the points it logged to models are gone; the models are not."""
        model_id = store.create_logged_model(NewLoggedModel("0")).model_id
        run_id, other = started(store), started(store)
        used = DatasetInput(Dataset("wine", "d1", "local", "{}"))
        for each in (run_id, other):
            store.log_inputs(each, [used])
            store.log_outputs(each, [LoggedModelOutput(model_id, 1)])
            store.log_batch(each, batch_of(Metric("acc", 0.5, 1000, model_id=model_id)))
        store.delete_run(run_id)
        (item,) = store.discarded()
        store.condemn(item)
        store.purge(item)
        assert [each.run_id for each in store.get_logged_model(model_id).metrics] == [other]
        assert len(store.get_run(other).inputs.dataset_inputs) == 1
        assert [each.model_id for each in store.get_run(other).outputs.model_outputs] == [model_id]

    # --- logged models ---------------------------------------------------------------------------------------

    def test_a_logged_model_goes_the_same_way(self, store: TrackingStore) -> None:
        """It lies in the bin, is found no more once it is condemned, and is gone when it is purged."""
        model = store.create_logged_model(NewLoggedModel("0", name="forest"))
        store.delete_logged_model(model.model_id)
        (item,) = store.discarded()
        assert (item.kind, item.id, item.name) == ("logged_model", model.model_id, "forest")
        assert (item.experiment_id, item.artifact_uri) == ("0", model.artifact_location)
        with pytest.raises(InvalidState):
            store.purge(item)
        assert store.condemn(item)
        with pytest.raises(NotFound):
            store.get_logged_model(model.model_id, allow_deleted=True)
        with pytest.raises(NotFound):
            store.restore_logged_model(model.model_id)
        with pytest.raises(AlreadyExists):
            store.create_logged_model(NewLoggedModel("0", model_id=model.model_id))
        assert store.purge(item)
        assert list(store.discarded()) == []
        store.create_logged_model(NewLoggedModel("0", model_id=model.model_id))

    def test_an_experiment_takes_its_models_along(self, store: TrackingStore) -> None:
        """Models of a deleted experiment lie in the bin although nobody deleted them, and hold it back."""
        experiment_id = store.create_experiment("wine")
        model_id = store.create_logged_model(NewLoggedModel(experiment_id)).model_id
        store.delete_experiment(experiment_id)
        assert named(store) == [("logged_model", model_id), ("experiment", experiment_id)]
        model, experiment = store.discarded()
        assert model.deletion_time == experiment.deletion_time
        store.restore_experiment(experiment_id)
        assert not store.condemn(model)
        store.delete_experiment(experiment_id)
        assert store.condemn(model)
        assert store.condemn(experiment)
        with pytest.raises(InvalidState):
            store.purge(experiment)
        assert store.purge(model)
        assert store.purge(experiment)

    # --- other instances -------------------------------------------------------------------------------------

    def test_what_was_begun_is_taken_up_after_opening_again(
        self, store: TrackingStore, reopen: Callable[[TrackingStore], TrackingStore]
    ) -> None:
        """What is in the bin and what is condemned is known to another instance, which goes on with it."""
        first, second = binned_run(store), binned_run(store)
        store.condemn(first)
        store.close()
        with closing(reopen(store)) as again:
            assert {item.id: item.condemned for item in again.discarded()} == {first.id: True, second.id: False}
            assert again.purge(first)
            assert again.condemn(second)
            assert again.purge(second)
            assert list(again.discarded()) == []

    def test_what_a_killed_process_took_away_in_part_is_taken_away_by_the_next(self, uri: str, tmp_path: Path) -> None:
        """After kill -9 while the bin is emptied each run in it is whole or condemned, and another process goes on."""
        store = opened(uri)
        kept = started(store)
        store.log_batch(kept, batch_of(point(0.5), params={"lr": "1"}))
        before = snapshot(store.get_run(kept))
        chance = random.Random(11)  # noqa: S311 - any moments will do
        for _ in range(3):
            for _ in range(10):
                binned_run(store, points=20)
            with WriterProcess(WRITER, [uri, "empty"], tmp_path) as emptying:
                emptying.go()
                emptying.kill_after(chance.randint(1, 6), chance.random())
            whole = [item.id for item in store.discarded() if not item.condemned]
            assert all(len(history(store, run_id)) == 20 for run_id in whole)
        with WriterProcess(WRITER, [uri, "empty"], tmp_path) as emptying:
            emptying.go()
            assert emptying.end()[0] == 0
        assert list(store.discarded()) == []
        assert snapshot(store.get_run(kept)) == before
        store.close()


def opened(uri: str) -> TrackingStore:
    """The store at a URI."""
    store: TrackingStore = plugins.find("tracking_stores", uris.scheme_of(uri))(uri)
    return store


def binned_run(store: TrackingStore, experiment_id: str = "0", points: int = 2) -> Discarded:
    """A run in the bin that has logged something of each kind."""
    run_id = started(store, experiment_id)
    steps = range(points)
    store.log_batch(run_id, batch_of(*(point(1 / (step + 1), step) for step in steps), params={"lr": "1"}))
    store.log_batch(run_id, batch_of(tags={"team": "a"}))
    store.delete_run(run_id)
    return next(item for item in store.discarded() if item.id == run_id)


def binned_experiment(store: TrackingStore) -> Discarded:
    """An experiment in the bin, without runs."""
    store.delete_experiment(store.create_experiment("wine"))
    return only(store, "experiment")


def only(store: TrackingStore, kind: str) -> Discarded:
    """The one thing of that kind in the bin."""
    (item,) = (item for item in store.discarded() if item.kind == kind)
    return item


def named(store: TrackingStore) -> list[tuple[str, str]]:
    """What lies in the bin, as kinds and ids."""
    return [(item.kind, item.id) for item in store.discarded()]


def restore(store: TrackingStore, item: Discarded) -> bool:
    """Whether the run or logged model could be restored."""
    try:
        (store.restore_run if item.kind == "run" else store.restore_logged_model)(item.id)
    except NotFound:
        return False
    return True


def pause() -> None:
    """Let a millisecond go by, by which moments differ."""
    moment = now_ms()
    while now_ms() <= moment + 1:
        pass
