"""Stories about stages."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from dovetail.errors import StageMoved
from dovetail.registry.store import ANYWHERE
from dovetail.testing.registry_store.base import Stories, everything, labels, moments_later, moves, registered
from dovetail.values.registry import STAGES

if TYPE_CHECKING:
    from dovetail.registry.store import RegistryStore

__all__ = ["StageStories"]


def staged(store: RegistryStore, *stages: str) -> None:
    """A model ``wine`` with a version in each of these stages, in turn."""
    registered(store, versions=len(stages))
    for number, stage in enumerate(stages, start=1):
        store.transition_stage("wine", number, stage)


def stages(store: RegistryStore) -> dict[int, str]:
    """The stages of the versions of ``wine`` by number."""
    return {each.version: each.current_stage for each in store.search_model_versions("name = 'wine'")}


class StageStories(Stories):
    """Stages."""

    def test_a_version_goes_through_all_stages(self, store: RegistryStore) -> None:
        """Any stage may follow any other; the history says so."""
        registered(store, versions=2)
        for stage in (*STAGES[1:], *STAGES[::-1][1:]):
            version = store.transition_stage("wine", 1, stage)
            assert version.current_stage == stage
            assert version == store.get_model_version("wine", 1)
        assert stages(store) == {1: "None", 2: "None"}
        way = ["None", "Staging", "Production", "Archived", "Production", "Staging", "None"]
        assert moves(store)[::-1] == [("1", before, after) for before, after in pairwise(way)]

    def test_the_stage_it_is_in_is_no_transition(self, store: RegistryStore) -> None:
        """Nothing changes, and nothing is noted."""
        staged(store, "Production", "None")
        before = everything(store)
        moments_later()
        assert store.transition_stage("wine", 1, "Production").current_stage == "Production"
        assert store.transition_stage("wine", 2, "None").current_stage == "None"
        assert everything(store) == before

    def test_a_model_shows_the_latest_version_of_each_stage(self, store: RegistryStore) -> None:
        """The highest number in each stage that has any, by number, each as it is."""
        staged(store, "Production", "Staging", "Production", "None", "Staging", "None")
        latest = store.get_registered_model("wine").latest_versions
        assert [(each.version, each.current_stage) for each in latest] == [
            (3, "Production"),
            (5, "Staging"),
            (6, "None"),
        ]
        assert latest == [store.get_model_version("wine", each.version) for each in latest]

    def test_all_others_of_a_stage_are_archived(self, store: RegistryStore) -> None:
        """With archive_existing the versions that were in the stage are archived, those elsewhere stay."""
        staged(store, "Production", "Staging", "Production", "None")
        version = store.transition_stage("wine", 4, "Production", archive_existing=True, user_id="ada", reason="better")
        assert version == store.get_model_version("wine", 4)
        assert stages(store) == {1: "Archived", 2: "Staging", 3: "Archived", 4: "Production"}
        noted = store.get_history("wine")[:3]
        assert {(each.what, each.before, each.after) for each in noted} == {
            ("1", "Production", "Archived"),
            ("3", "Production", "Archived"),
            ("4", "None", "Production"),
        }
        assert {(each.kind, each.user_id, each.reason) for each in noted} == {("stage", "ada", "better")}
        assert len(store.get_history("wine")) == 6

    def test_others_stay_unless_they_are_to_be_archived(self, store: RegistryStore) -> None:
        """Any number of versions may be in one stage."""
        staged(store, "Production", "Production")
        assert stages(store) == {1: "Production", 2: "Production"}

    def test_the_only_one_of_a_stage_stays_in_it(self, store: RegistryStore) -> None:
        """A version that is there already is not archived by its own transition, but the others are."""
        staged(store, "Production", "Production")
        store.transition_stage("wine", 1, "Production", archive_existing=True)
        assert stages(store) == {1: "Production", 2: "Archived"}
        assert moves(store)[0] == ("2", "Production", "Archived")

    def test_versions_of_other_models_are_not_archived(self, store: RegistryStore) -> None:
        """A stage is a model's own."""
        staged(store, "Production", "None")
        registered(store, "beer", versions=1)
        store.transition_stage("beer", 1, "Production")
        store.transition_stage("wine", 2, "Production", archive_existing=True)
        assert store.get_model_version("beer", 1).current_stage == "Production"

    # --- compare and set -------------------------------------------------------------------------------------

    def test_a_version_in_the_stage_where_it_was_expected_moves(self, store: RegistryStore) -> None:
        """Every stage can be expected, ``None`` too; ANYWHERE expects nothing."""
        staged(store, "None")
        assert store.transition_stage("wine", 1, "Staging", expected="None").current_stage == "Staging"
        assert store.transition_stage("wine", 1, "Production", expected="Staging").current_stage == "Production"
        assert store.transition_stage("wine", 1, "Production", expected="Production").current_stage == "Production"
        assert store.transition_stage("wine", 1, "None", expected=ANYWHERE).current_stage == "None"
        assert moves(store) == [
            ("1", "Production", "None"),
            ("1", "Staging", "Production"),
            ("1", "None", "Staging"),
        ]

    def test_a_version_in_another_stage_stays(self, store: RegistryStore) -> None:
        """Expected elsewhere: StageMoved, and nothing is changed, of the others neither."""
        staged(store, "Staging", "Production")
        before = everything(store)
        for stage, expected in (("Production", "None"), ("Production", "Archived"), ("Staging", "Production")):
            with pytest.raises(StageMoved, match="Version 1"):
                store.transition_stage("wine", 1, stage, expected=expected, archive_existing=True)
        assert everything(store) == before

    def test_a_transition_is_an_update(self, store: RegistryStore) -> None:
        """The model and the versions that change stage were updated then."""
        staged(store, "Production", "None", "None")
        store.set_model_version_tags("wine", 1, labels(a="1"))
        model = store.get_registered_model("wine")
        before = {each.version: each.last_updated_timestamp for each in store.search_model_versions()}
        moments_later()
        store.transition_stage("wine", 2, "Production", archive_existing=True)
        after = {each.version: each.last_updated_timestamp for each in store.search_model_versions()}
        assert store.get_registered_model("wine").last_updated_timestamp > model.last_updated_timestamp
        assert [number for number in (1, 2, 3) if after[number] > before[number]] == [1, 2]
        assert store.get_model_version("wine", 1).tags == {"a": "1"}
