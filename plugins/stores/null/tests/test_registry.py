"""What the registry remembers, and what it says about the rest."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from dovetail.errors import AliasMoved, AlreadyExists, InvalidFilter, InvalidUri, NotFound, StageMoved
from dovetail.values import NewModelVersion, RegistryTag
from dovetail_null import dovetail_registry_stores, open_null_registry

if TYPE_CHECKING:
    from dovetail_null.registry import NullRegistryStore


@pytest.fixture
def store() -> NullRegistryStore:
    return open_null_registry("null:")


@pytest.fixture
def wine(store: NullRegistryStore) -> NullRegistryStore:
    store.create_registered_model("wine", "d", [RegistryTag("a", "1")])
    for _ in range(3):
        store.create_model_version(NewModelVersion("wine", "null:/model", tags=(RegistryTag("b", "2"),)))
    return store


class TestLocation:
    def test_is_found_by_its_scheme(self) -> None:
        assert dovetail_registry_stores()["null"] is open_null_registry
        assert open_null_registry("null://").uri == "null:"

    def test_names_no_place(self) -> None:
        with pytest.raises(InvalidUri, match="null:"):
            open_null_registry("null:/folder")


class TestModels:
    def test_are_remembered_as_what_they_are(self, wine: NullRegistryStore) -> None:
        model = wine.get_registered_model("wine")
        assert (model.description, model.tags) == ("d", {"a": "1"})
        assert [version.version for version in model.latest_versions] == [3]

    def test_have_names_of_their_own(self, wine: NullRegistryStore) -> None:
        with pytest.raises(AlreadyExists):
            wine.create_registered_model("wine")
        wine.create_registered_model("beer")
        with pytest.raises(AlreadyExists):
            wine.update_registered_model("beer", new_name="wine")

    def test_are_renamed_with_their_versions(self, wine: NullRegistryStore) -> None:
        wine.move_alias("wine", "champion", 2)
        model = wine.update_registered_model("wine", new_name="vino", description="new")
        assert (model.name, model.description, model.aliases) == ("vino", "new", {"champion": 2})
        assert wine.get_model_version("vino", 2).aliases == ["champion"]
        assert wine.create_model_version(NewModelVersion("vino", "null:/model")).version == 4
        with pytest.raises(NotFound):
            wine.get_registered_model("wine")

    def test_are_deleted(self, wine: NullRegistryStore) -> None:
        wine.delete_registered_model("wine")
        with pytest.raises(NotFound):
            wine.get_model_version("wine", 1)
        wine.create_registered_model("wine")
        assert wine.create_model_version(NewModelVersion("wine", "null:/model")).version == 1

    def test_do_not_take_tags_later(self, wine: NullRegistryStore) -> None:
        wine.set_registered_model_tags("wine", [RegistryTag("c", "3")])
        wine.set_model_version_tags("wine", 1, [RegistryTag("c", "3")])
        assert wine.get_registered_model("wine").tags == {"a": "1"}
        assert wine.get_model_version("wine", 1).tags == {"b": "2"}
        wine.delete_registered_model_tag("wine", "a")
        wine.delete_model_version_tag("wine", 1, "b")
        assert (wine.get_registered_model("wine").tags, wine.get_model_version("wine", 1).tags) == ({}, {})


class TestVersions:
    def test_count_up(self, wine: NullRegistryStore) -> None:
        wine.delete_model_version("wine", 3)
        assert wine.create_model_version(NewModelVersion("wine", "null:/model")).version == 4

    def test_are_described(self, wine: NullRegistryStore) -> None:
        assert wine.update_model_version("wine", 1, "first").description == "first"
        assert wine.get_model_version("wine", 1).description == "first"

    def test_go_through_stages(self, wine: NullRegistryStore) -> None:
        wine.transition_stage("wine", 1, "Production")
        assert wine.transition_stage("wine", 2, "Production", archive_existing=True).current_stage == "Production"
        assert wine.get_model_version("wine", 1).current_stage == "Archived"
        shown = wine.get_registered_model("wine").latest_versions
        assert [(each.version, each.current_stage) for each in shown] == [
            (1, "Archived"),
            (2, "Production"),
            (3, "None"),
        ]

    def test_leave_a_stage_if_they_are_in_it(self, wine: NullRegistryStore) -> None:
        assert wine.transition_stage("wine", 1, "Production", expected="None").current_stage == "Production"
        with pytest.raises(StageMoved):
            wine.transition_stage("wine", 2, "Production", expected="Staging", archive_existing=True)
        assert wine.get_model_version("wine", 1).current_stage == "Production"
        assert wine.get_model_version("wine", 2).current_stage == "None"

    def test_that_never_were_are_not_found(self, wine: NullRegistryStore) -> None:
        for name, number in (("wine", 4), ("beer", 1)):
            with pytest.raises(NotFound):
                wine.get_model_version(name, number)
            with pytest.raises(NotFound):
                wine.move_alias(name, "champion", number)


class TestAliases:
    def test_move_if_they_are_where_they_are_expected(self, wine: NullRegistryStore) -> None:
        move = wine.move_alias("wine", "champion", 1, expected=None)
        assert move is not None
        assert (move.before, move.after) == (None, "1")
        assert wine.move_alias("wine", "champion", 1) is None
        with pytest.raises(AliasMoved):
            wine.move_alias("wine", "champion", 2, expected=3)
        assert wine.get_registered_model("wine").aliases == {"champion": 1}

    def test_go_with_their_version(self, wine: NullRegistryStore) -> None:
        wine.move_alias("wine", "champion", 1)
        wine.delete_model_version("wine", 1)
        assert wine.get_registered_model("wine").aliases == {}


class TestSearches:
    def test_find_nothing(self, wine: NullRegistryStore) -> None:
        assert list(wine.search_registered_models("name = 'wine'", ["name"])) == []
        assert list(wine.search_model_versions("name = 'wine'", ["version_number DESC"])) == []
        assert list(wine.get_history("wine")) == []

    def test_are_understood(self, store: NullRegistryStore) -> None:
        for call in (
            lambda: store.search_registered_models("name >"),
            lambda: store.search_registered_models(order_by=["metrics.x"]),
            lambda: store.search_model_versions("metrics.x > 1"),
            lambda: store.search_model_versions(order_by=["nothing"]),
        ):
            with pytest.raises(InvalidFilter):
                call()


def test_what_was_registered_long_ago_is_forgotten(store: NullRegistryStore) -> None:
    for number in range(1001):
        store.create_registered_model(f"model-{number}")
    with pytest.raises(NotFound):
        store.get_registered_model("model-0")
