"""Stories about runs: their names, states, and the bin."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from dovetail import uris
from dovetail.errors import AlreadyExists, InvalidState, NotFound, RunEnded
from dovetail.testing.tracking_store.base import RUN_NAME, Stories, batch_of, point, snapshot, started
from dovetail.values import NewRun, RunStatus, Tag
from dovetail.values.measure import now_ms

if TYPE_CHECKING:
    from dovetail.tracking.store import TrackingStore

__all__ = ["RunStories"]


class RunStories(Stories):
    """Creating, renaming, ending, deleting and restoring runs."""

    def test_a_created_run_comes_back_as_it_was_asked_for(self, store: TrackingStore) -> None:
        """A run keeps its id, experiment, name, user, start time, status and tags; nothing is logged yet."""
        experiment_id = store.create_experiment("wine")
        new = NewRun(
            experiment_id, run_name="first try", user_id="ada", start_time=1234, tags=(Tag("a", "1"), Tag("b", ""))
        )
        created = store.create_run(new)
        info = created.info
        assert (info.run_id, info.experiment_id, info.run_name) == (new.run_id, experiment_id, "first try")
        assert (info.user_id, info.start_time, info.end_time) == ("ada", 1234, None)
        assert (info.status, info.lifecycle_stage) == ("RUNNING", "active")
        assert created.data.tags == {"a": "1", "b": "", RUN_NAME: "first try"}
        assert (created.data.metrics, created.data.params, created.data.latest) == ({}, {}, ())
        assert snapshot(store.get_run(new.run_id)) == snapshot(created)

    def test_a_run_may_start_as_scheduled(self, store: TrackingStore) -> None:
        """The first state of a run is the one it is created with."""
        run_id = started(store, status=RunStatus.SCHEDULED)
        assert store.get_run(run_id).info.status == "SCHEDULED"

    def test_artifacts_of_a_run_go_below_its_experiment(self, store: TrackingStore) -> None:
        """A run's artifacts go to ``<the experiment's location>/<run id>/artifacts``."""
        experiment_id = store.create_experiment("wine", "s3://bucket/wine?region=x")
        for each in ("0", experiment_id):
            run_id = started(store, each)
            location = store.get_experiment(each).artifact_location
            assert store.get_run(run_id).info.artifact_uri == uris.join(location, run_id, "artifacts")

    def test_a_taken_id_is_refused(self, store: TrackingStore) -> None:
        """A second run of one id raises AlreadyExists, in any experiment, and leaves the first as it was."""
        run_id = started(store, run_name="first")
        other = store.create_experiment("other")
        with pytest.raises(AlreadyExists):
            store.create_run(NewRun(other, run_id=run_id, run_name="second"))
        store.delete_run(run_id)
        with pytest.raises(AlreadyExists):
            store.create_run(NewRun("0", run_id=run_id))
        assert store.get_run(run_id).info.run_name == "first"
        assert store.get_run(run_id).info.experiment_id == "0"

    def test_ids_differ_by_case(self, store: TrackingStore) -> None:
        """Two run ids that differ in case are two runs."""
        started(store, run_id="abc", run_name="small")
        started(store, run_id="ABC", run_name="large")
        assert [store.get_run(run_id).info.run_name for run_id in ("abc", "ABC")] == ["small", "large"]

    def test_an_unknown_run_is_not_found(self, store: TrackingStore) -> None:
        """An unknown run id raises NotFound wherever something is done with it."""
        with pytest.raises(NotFound):
            store.get_run("nobody")
        with pytest.raises(NotFound):
            store.update_run("nobody", status="FINISHED")
        with pytest.raises(NotFound):
            store.delete_run("nobody")
        with pytest.raises(NotFound):
            store.restore_run("nobody")
        with pytest.raises(NotFound):
            store.log_batch("nobody", batch_of(point(0.5)))
        with pytest.raises(NotFound):
            store.log_batch("nobody", batch_of(tags={"a": "1"}), ended=True)
        with pytest.raises(NotFound):
            store.delete_tag("nobody", "a")

    # --- names -----------------------------------------------------------------------------------------------

    def test_the_name_becomes_the_tag(self, store: TrackingStore) -> None:
        """A run created with a name has it as the tag ``mlflow.runName`` too."""
        run_id = started(store, run_name="fox")
        assert store.get_run(run_id).data.tags == {RUN_NAME: "fox"}

    def test_the_tag_becomes_the_name(self, store: TrackingStore) -> None:
        """A run created with the tag ``mlflow.runName`` and no name has the tag's value as its name."""
        run_id = started(store, tags=(Tag(RUN_NAME, "fox"),))
        assert store.get_run(run_id).info.run_name == "fox"

    def test_the_name_wins_over_the_tag(self, store: TrackingStore) -> None:
        """Where name and tag are both given, both become the name."""
        run = store.get_run(started(store, run_name="fox", tags=(Tag(RUN_NAME, "hare"),)))
        assert (run.info.run_name, run.data.tags[RUN_NAME]) == ("fox", "fox")

    def test_renaming_changes_the_tag(self, store: TrackingStore) -> None:
        """A new name stands in the metadata and in the tag, and in what update_run returns."""
        run_id = started(store, run_name="fox")
        assert store.update_run(run_id, name="hare").run_name == "hare"
        run = store.get_run(run_id)
        assert (run.info.run_name, run.data.tags[RUN_NAME]) == ("hare", "hare")
        assert run.info.status == "RUNNING"

    def test_setting_the_tag_renames(self, store: TrackingStore) -> None:
        """Setting the tag ``mlflow.runName`` renames the run."""
        run_id = started(store, run_name="fox")
        store.log_batch(run_id, batch_of(tags={RUN_NAME: "hare"}))
        run = store.get_run(run_id)
        assert (run.info.run_name, run.data.tags[RUN_NAME]) == ("hare", "hare")

    def test_setting_other_tags_does_not_rename(self, store: TrackingStore) -> None:
        """Only the tag of the name is bound to the name."""
        run_id = started(store, run_name="fox")
        store.log_batch(run_id, batch_of(tags={"runName": "hare"}))
        assert store.get_run(run_id).info.run_name == "fox"

    # --- status ----------------------------------------------------------------------------------------------

    @pytest.mark.parametrize("status", sorted(RunStatus.ENDED))
    def test_ending_sets_the_given_end_time(self, store: TrackingStore, status: str) -> None:
        """A status that ends the run comes with the end time that is given."""
        run_id = started(store)
        updated = store.update_run(run_id, status=status, end_time=5000)
        assert (updated.status, updated.end_time) == (status, 5000)
        assert store.get_run(run_id).info == updated

    def test_ending_without_a_time_ends_now(self, store: TrackingStore) -> None:
        """Without an end time a run ends at the present one."""
        before = now_ms()
        updated = store.update_run(started(store), status="FINISHED")
        assert updated.end_time is not None
        assert before <= updated.end_time <= now_ms()

    @pytest.mark.parametrize("status", ["RUNNING", "SCHEDULED"])
    def test_taking_a_run_up_again_clears_the_end_time(self, store: TrackingStore, status: str) -> None:
        """A status that does not end the run clears its end time, and the run takes metrics again."""
        run_id = started(store)
        store.update_run(run_id, status="FAILED", end_time=5000)
        updated = store.update_run(run_id, status=status)
        assert (updated.status, updated.end_time) == (status, None)
        store.log_batch(run_id, batch_of(point(0.5)))
        assert store.get_run(run_id).data.metrics == {"loss": 0.5}

    def test_only_what_is_given_changes(self, store: TrackingStore) -> None:
        """Name, status and end time change each on its own; an update of nothing changes nothing."""
        run_id = started(store, run_name="fox", user_id="ada", start_time=1000)
        ended = store.update_run(run_id, status="FINISHED", end_time=5000)
        assert (ended.run_name, ended.user_id, ended.start_time) == ("fox", "ada", 1000)
        assert store.update_run(run_id) == ended
        assert store.update_run(run_id, end_time=6000).end_time == 6000
        renamed = store.update_run(run_id, name="hare")
        assert (renamed.status, renamed.end_time, renamed.run_name) == ("FINISHED", 6000, "hare")

    def test_a_deleted_run_cannot_be_updated(self, store: TrackingStore) -> None:
        """Updating a run in the bin raises RunEnded and changes nothing."""
        run_id = started(store, run_name="fox")
        store.delete_run(run_id)
        with pytest.raises(RunEnded):
            store.update_run(run_id, status="FINISHED")
        with pytest.raises(RunEnded):
            store.update_run(run_id, name="hare")
        info = store.get_run(run_id).info
        assert (info.status, info.run_name) == ("RUNNING", "fox")

    # --- the bin ---------------------------------------------------------------------------------------------

    def test_a_deleted_run_can_still_be_read(self, store: TrackingStore) -> None:
        """A run in the bin keeps all it logged; restored, it is what it was."""
        run_id = started(store, run_name="fox")
        store.log_batch(run_id, batch_of(point(0.5), params={"lr": "1"}, tags={"a": "1"}))
        before = store.get_run(run_id)
        store.delete_run(run_id)
        deleted = store.get_run(run_id)
        assert deleted.info.lifecycle_stage == "deleted"
        assert deleted.data == before.data
        assert [metric.value for metric in store.get_metric_history(run_id, "loss")] == [0.5]
        store.restore_run(run_id)
        assert snapshot(store.get_run(run_id)) == snapshot(before)

    def test_deleting_and_restoring_twice_changes_nothing(self, store: TrackingStore) -> None:
        """Deleting a deleted run and restoring an active one are allowed and change nothing."""
        run_id = started(store)
        store.restore_run(run_id)
        assert store.get_run(run_id).info.lifecycle_stage == "active"
        store.delete_run(run_id)
        store.delete_run(run_id)
        assert store.get_run(run_id).info.lifecycle_stage == "deleted"
        store.restore_run(run_id)
        store.restore_run(run_id)
        assert store.get_run(run_id).info.lifecycle_stage == "active"

    def test_deleting_what_went_along_changes_nothing(self, store: TrackingStore) -> None:
        """A run that went into the bin with its experiment still comes back with it, deleted again or not."""
        experiment_id = store.create_experiment("wine")
        run_id = started(store, experiment_id)
        store.delete_experiment(experiment_id)
        store.delete_run(run_id)
        store.restore_experiment(experiment_id)
        assert store.get_run(run_id).info.lifecycle_stage == "active"

    def test_a_run_is_not_restored_into_a_deleted_experiment(self, store: TrackingStore) -> None:
        """Restoring a run whose experiment is deleted raises InvalidState."""
        experiment_id = store.create_experiment("wine")
        run_id = started(store, experiment_id)
        store.delete_experiment(experiment_id)
        with pytest.raises(InvalidState):
            store.restore_run(run_id)
        assert store.get_run(run_id).info.lifecycle_stage == "deleted"

    # --- tags ------------------------------------------------------------------------------------------------

    def test_a_tag_of_a_run_is_removed(self, store: TrackingStore) -> None:
        """Removing a tag leaves the others; a tag that is not there raises NotFound."""
        run_id = started(store, tags=(Tag("a", "1"), Tag("b", "2")))
        store.delete_tag(run_id, "a")
        assert store.get_run(run_id).data.tags == {"b": "2"}
        with pytest.raises(NotFound):
            store.delete_tag(run_id, "a")

    def test_a_tag_of_an_ended_run_is_removed_and_of_a_deleted_run_not(self, store: TrackingStore) -> None:
        """Tags may change after the end of a run; those of a deleted run raise RunEnded and stay."""
        run_id = started(store, tags=(Tag("a", "1"), Tag("b", "2")))
        store.update_run(run_id, status="FINISHED")
        store.delete_tag(run_id, "a")
        store.delete_run(run_id)
        with pytest.raises(RunEnded):
            store.delete_tag(run_id, "b")
        assert store.get_run(run_id).data.tags == {"b": "2"}
