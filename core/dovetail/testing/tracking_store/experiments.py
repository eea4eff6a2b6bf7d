"""Stories about experiments."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from dovetail.errors import AlreadyExists, InvalidInput, InvalidState, NotFound
from dovetail.testing.tracking_store.base import Stories, batch_of, point, snapshot, started
from dovetail.values import DEFAULT_EXPERIMENT_ID, DEFAULT_EXPERIMENT_NAME, NewRun, Tag
from dovetail.values.measure import now_ms

if TYPE_CHECKING:
    from dovetail.tracking.store import TrackingStore

__all__ = ["ExperimentStories"]

UNKNOWN = "987654321"


class ExperimentStories(Stories):
    """Creating, finding, renaming, deleting and restoring experiments, and their tags."""

    def test_a_fresh_store_has_the_default_experiment(self, store: TrackingStore) -> None:
        """The experiment ``"0"`` named ``Default`` exists from the start, and nothing else."""
        experiments = store.search_experiments()
        assert [(each.experiment_id, each.name, each.lifecycle_stage) for each in experiments] == [
            (DEFAULT_EXPERIMENT_ID, DEFAULT_EXPERIMENT_NAME, "active")
        ]
        assert store.get_experiment("0") == store.get_experiment_by_name("Default")

    def test_a_created_experiment_is_found_by_id_and_by_name(self, store: TrackingStore) -> None:
        """A new experiment has the name, tags and times it was made with."""
        before = now_ms()
        experiment_id = store.create_experiment("wine", tags=[Tag("team", "vision"), Tag("note", "")])
        experiment = store.get_experiment(experiment_id)
        assert (experiment.experiment_id, experiment.name) == (experiment_id, "wine")
        assert (experiment.lifecycle_stage, experiment.tags) == ("active", {"team": "vision", "note": ""})
        assert experiment.creation_time is not None
        assert before <= experiment.creation_time <= now_ms()
        assert experiment.last_update_time == experiment.creation_time
        assert store.get_experiment_by_name("wine") == experiment

    def test_one_that_was_made_elsewhere_keeps_its_time(self, store: TrackingStore) -> None:
        """Until something of it changes here."""
        experiment_id = store.create_experiment("old", None, (), 1_000_000_000_000)
        made = store.get_experiment(experiment_id)
        assert (made.creation_time, made.last_update_time) == (1_000_000_000_000, 1_000_000_000_000)
        store.rename_experiment(experiment_id, "older")
        changed = store.get_experiment(experiment_id)
        assert changed.creation_time == 1_000_000_000_000
        assert (changed.last_update_time or 0) > 1_000_000_000_000

    def test_ids_are_whole_numbers_that_count_up(self, store: TrackingStore) -> None:
        """Ids are decimal text; each new one is higher than all before, deleted experiments included."""
        first, second = store.create_experiment("a"), store.create_experiment("b")
        store.delete_experiment(second)
        third = store.create_experiment("c")
        assert [str(int(each)) for each in (first, second, third)] == [first, second, third]
        assert 0 < int(first) < int(second) < int(third)

    def test_artifacts_go_below_the_stores_root(self, store: TrackingStore) -> None:
        """Without a location, artifacts go to ``<root>/<experiment id>``, one root for all experiments."""
        ids = ["0", store.create_experiment("a"), store.create_experiment("b")]
        located = [store.get_experiment(each).artifact_location for each in ids]
        assert [location.rpartition("/")[2] for location in located] == ids
        assert len({location.rpartition("/")[0] for location in located}) == 1

    def test_a_location_that_is_given_is_kept(self, store: TrackingStore) -> None:
        """A location of its own is kept as it was given."""
        experiment_id = store.create_experiment("a", "s3://bucket/some folder/ünï?region=x")
        assert store.get_experiment(experiment_id).artifact_location == "s3://bucket/some folder/ünï?region=x"

    @pytest.mark.parametrize(
        "name", ["Größe 🎉 日本", "it's; DROP TABLE experiments --", '"%_\\', "x" * 500, "a/b c\nd"]
    )
    def test_names_come_back_as_they_are(self, store: TrackingStore, name: str) -> None:
        """Any name that values allow is kept character by character, and found by."""
        experiment_id = store.create_experiment(name)
        assert store.get_experiment(experiment_id).name == name
        found = store.get_experiment_by_name(name)
        assert found is not None
        assert found.experiment_id == experiment_id

    def test_names_differ_by_case_and_accents(self, store: TrackingStore) -> None:
        """Names are the same only if all their characters are."""
        names = ["wine", "Wine", "wíne", "wine "]
        ids = [store.create_experiment(name) for name in names]
        found = [store.get_experiment_by_name(name) for name in names]
        assert [each and each.experiment_id for each in found] == ids

    def test_a_taken_name_is_refused(self, store: TrackingStore) -> None:
        """A second experiment of one name raises AlreadyExists and leaves the first as it was."""
        kept = store.get_experiment(store.create_experiment("wine", tags=[Tag("a", "1")]))
        with pytest.raises(AlreadyExists):
            store.create_experiment("wine", tags=[Tag("a", "2")])
        with pytest.raises(AlreadyExists):
            store.create_experiment(DEFAULT_EXPERIMENT_NAME)
        assert store.get_experiment_by_name("wine") == kept
        assert len(store.search_experiments()) == 2

    def test_the_name_of_a_deleted_experiment_stays_taken(self, store: TrackingStore) -> None:
        """Neither creating nor renaming takes a name from the bin."""
        gone, other = store.create_experiment("wine"), store.create_experiment("other")
        store.delete_experiment(gone)
        with pytest.raises(AlreadyExists):
            store.create_experiment("wine")
        with pytest.raises(AlreadyExists):
            store.rename_experiment(other, "wine")
        found = store.get_experiment_by_name("wine")
        assert found is not None
        assert (found.experiment_id, found.lifecycle_stage) == (gone, "deleted")

    def test_what_is_not_there_is_not_found(self, store: TrackingStore) -> None:
        """An unknown id raises NotFound wherever it is given; an unknown name gives None."""
        assert store.get_experiment_by_name("nobody") is None
        with pytest.raises(NotFound):
            store.get_experiment(UNKNOWN)
        with pytest.raises(NotFound):
            store.rename_experiment(UNKNOWN, "a")
        with pytest.raises(NotFound):
            store.delete_experiment(UNKNOWN)
        with pytest.raises(NotFound):
            store.restore_experiment(UNKNOWN)
        with pytest.raises(NotFound):
            store.set_experiment_tags(UNKNOWN, [Tag("a", "1")])
        with pytest.raises(NotFound):
            store.delete_experiment_tag(UNKNOWN, "a")
        with pytest.raises(NotFound):
            store.create_run(NewRun(UNKNOWN))

    # --- renaming --------------------------------------------------------------------------------------------

    def test_a_renamed_experiment_gives_its_old_name_free(self, store: TrackingStore) -> None:
        """Renaming changes the name alone; the old one can be used again."""
        experiment_id = store.create_experiment("old", tags=[Tag("a", "1")])
        before = store.get_experiment(experiment_id)
        store.rename_experiment(experiment_id, "new")
        after = store.get_experiment(experiment_id)
        assert after.name == "new"
        assert (after.tags, after.artifact_location) == (before.tags, before.artifact_location)
        assert after.creation_time == before.creation_time
        assert store.get_experiment_by_name("old") is None
        assert store.create_experiment("old") != experiment_id

    def test_renaming_onto_a_taken_name_is_refused(self, store: TrackingStore) -> None:
        """Renaming onto another experiment's name raises AlreadyExists and changes neither."""
        first, second = store.create_experiment("first"), store.create_experiment("second")
        with pytest.raises(AlreadyExists):
            store.rename_experiment(second, "first")
        assert [store.get_experiment(each).name for each in (first, second)] == ["first", "second"]

    def test_a_deleted_experiment_cannot_be_renamed(self, store: TrackingStore) -> None:
        """Renaming what is in the bin raises InvalidState."""
        experiment_id = store.create_experiment("old")
        store.delete_experiment(experiment_id)
        with pytest.raises(InvalidState):
            store.rename_experiment(experiment_id, "new")
        assert store.get_experiment(experiment_id).name == "old"

    # --- the bin ---------------------------------------------------------------------------------------------

    def test_deleting_takes_the_runs_along_and_restoring_brings_them_back(self, store: TrackingStore) -> None:
        """An experiment's active runs go into the bin with it and come out with it, with all they logged."""
        experiment_id = store.create_experiment("wine")
        runs = [started(store, experiment_id), started(store, experiment_id)]
        bystander = started(store)
        store.log_batch(runs[0], batch_of(point(0.5), params={"lr": "1"}, tags={"a": "1"}))
        before = [snapshot(store.get_run(run_id)) for run_id in runs]

        store.delete_experiment(experiment_id)
        assert store.get_experiment(experiment_id).lifecycle_stage == "deleted"
        assert {store.get_run(run_id).info.lifecycle_stage for run_id in runs} == {"deleted"}
        assert store.get_run(bystander).info.lifecycle_stage == "active"

        store.restore_experiment(experiment_id)
        assert store.get_experiment(experiment_id).lifecycle_stage == "active"
        assert [snapshot(store.get_run(run_id)) for run_id in runs] == before

    def test_runs_deleted_earlier_stay_deleted(self, store: TrackingStore) -> None:
        """Restoring an experiment brings back only the runs that went with it."""
        experiment_id = store.create_experiment("wine")
        earlier, along = started(store, experiment_id), started(store, experiment_id)
        store.delete_run(earlier)
        store.delete_experiment(experiment_id)
        store.restore_experiment(experiment_id)
        assert store.get_run(earlier).info.lifecycle_stage == "deleted"
        assert store.get_run(along).info.lifecycle_stage == "active"

    def test_what_went_along_once_does_not_come_back_twice(self, store: TrackingStore) -> None:
        """A run that was restored with its experiment and then deleted on its own stays deleted."""
        experiment_id = store.create_experiment("wine")
        run_id = started(store, experiment_id)
        store.delete_experiment(experiment_id)
        store.restore_experiment(experiment_id)
        store.delete_run(run_id)
        store.delete_experiment(experiment_id)
        store.restore_experiment(experiment_id)
        assert store.get_run(run_id).info.lifecycle_stage == "deleted"

    def test_deleting_twice_and_restoring_what_is_active_is_refused(self, store: TrackingStore) -> None:
        """There is no active experiment to delete twice, and no deleted one to restore twice."""
        experiment_id = store.create_experiment("wine")
        with pytest.raises(NotFound):
            store.restore_experiment(experiment_id)
        store.delete_experiment(experiment_id)
        with pytest.raises(NotFound):
            store.delete_experiment(experiment_id)
        store.restore_experiment(experiment_id)
        with pytest.raises(NotFound):
            store.restore_experiment(experiment_id)

    def test_the_default_experiment_may_be_deleted_and_restored(self, store: TrackingStore) -> None:
        """The default experiment is one like others; deleting it does not make another."""
        store.delete_experiment(DEFAULT_EXPERIMENT_ID)
        assert list(store.search_experiments()) == []
        assert store.get_experiment(DEFAULT_EXPERIMENT_ID).lifecycle_stage == "deleted"
        store.restore_experiment(DEFAULT_EXPERIMENT_ID)
        assert store.get_experiment(DEFAULT_EXPERIMENT_ID).name == DEFAULT_EXPERIMENT_NAME

    def test_a_deleted_experiment_takes_no_runs(self, store: TrackingStore) -> None:
        """Creating a run in a deleted experiment raises InvalidInput and leaves no run behind."""
        experiment_id = store.create_experiment("wine")
        store.delete_experiment(experiment_id)
        new = NewRun(experiment_id)
        with pytest.raises(InvalidInput):
            store.create_run(new)
        with pytest.raises(NotFound):
            store.get_run(new.run_id)

    # --- tags ------------------------------------------------------------------------------------------------

    def test_tags_are_set_and_replaced(self, store: TrackingStore) -> None:
        """Tags of the same key are replaced, the others stay."""
        experiment_id = store.create_experiment("wine", tags=[Tag("a", "1"), Tag("b", "2")])
        store.set_experiment_tags(experiment_id, [Tag("b", "3"), Tag("B", "4"), Tag("größe", "🎉")])
        assert store.get_experiment(experiment_id).tags == {"a": "1", "b": "3", "B": "4", "größe": "🎉"}
        store.set_experiment_tags(experiment_id, [])
        assert len(store.get_experiment(experiment_id).tags) == 4

    def test_of_two_tags_with_one_key_the_last_one_holds(self, store: TrackingStore) -> None:
        """Where one key is given twice, the later value is kept."""
        twice = [Tag("a", "1"), Tag("a", "2")]
        experiment_id = store.create_experiment("wine", tags=twice)
        assert store.get_experiment(experiment_id).tags == {"a": "2"}
        store.set_experiment_tags(experiment_id, list(reversed(twice)))
        assert store.get_experiment(experiment_id).tags == {"a": "1"}

    def test_a_tag_of_an_experiment_is_removed(self, store: TrackingStore) -> None:
        """Removing a tag leaves the others; a tag that is not there raises NotFound."""
        experiment_id = store.create_experiment("wine", tags=[Tag("a", "1"), Tag("b", "2")])
        store.delete_experiment_tag(experiment_id, "a")
        assert store.get_experiment(experiment_id).tags == {"b": "2"}
        with pytest.raises(NotFound):
            store.delete_experiment_tag(experiment_id, "a")

    def test_a_deleted_experiment_takes_no_tags(self, store: TrackingStore) -> None:
        """Setting tags of a deleted experiment raises InvalidInput and sets none."""
        experiment_id = store.create_experiment("wine")
        store.delete_experiment(experiment_id)
        with pytest.raises(InvalidInput):
            store.set_experiment_tags(experiment_id, [Tag("a", "1")])
        assert store.get_experiment(experiment_id).tags == {}
