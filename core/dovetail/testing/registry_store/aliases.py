"""Stories about aliases: moved, expected, removed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from dovetail.errors import AliasMoved, NotFound
from dovetail.registry.store import ANYWHERE
from dovetail.testing.registry_store.base import Stories, everything, moments_later, moves, registered, triple
from dovetail.values import RegistryMove

if TYPE_CHECKING:
    from dovetail.registry.store import RegistryStore

__all__ = ["AliasStories"]


class AliasStories(Stories):
    """Aliases."""

    def test_an_alias_points_at_one_version(self, store: RegistryStore) -> None:
        """It is shown by the model and by the version; moved on, it is there and nowhere else."""
        registered(store, versions=3)
        for version in (1, 3, 2):
            store.move_alias("wine", "champion", version)
            assert store.get_registered_model("wine").aliases == {"champion": version}
            named = {each.version: each.aliases for each in store.search_model_versions()}
            assert named == {number: ["champion"] if number == version else [] for number in (1, 2, 3)}

    def test_a_version_may_have_many_aliases(self, store: RegistryStore) -> None:
        """Aliases of a version are sorted; they differ by case; other models have their own of the same name."""
        registered(store, "wine", versions=2)
        registered(store, "beer", versions=1)
        for name, alias, version in (("wine", "b", 1), ("wine", "B", 2), ("wine", "a-1_x", 1), ("beer", "b", 1)):
            store.move_alias(name, alias, version)
        assert store.get_registered_model("wine").aliases == {"B": 2, "a-1_x": 1, "b": 1}
        assert store.get_model_version("wine", 1).aliases == ["a-1_x", "b"]
        assert store.get_registered_model("beer").aliases == {"b": 1}

    def test_an_alias_of_full_length_is_kept(self, store: RegistryStore) -> None:
        """255 characters are an alias like any other, in the history too."""
        registered(store, versions=1)
        alias = "ä" * 255
        store.move_alias("wine", alias, 1)
        assert store.get_model_version("wine", 1).aliases == [alias]
        assert moves(store, what=alias) == [(alias, None, "1")]

    def test_an_alias_is_removed(self, store: RegistryStore) -> None:
        """Moved to None it is gone; one that is not there is none to remove, and nothing is noted."""
        registered(store, versions=1)
        store.move_alias("wine", "champion", 1)
        removed = store.move_alias("wine", "champion", None)
        assert removed is not None
        assert triple(removed) == ("champion", "1", None)
        assert store.move_alias("wine", "champion", None) is None
        assert store.get_registered_model("wine").aliases == {}
        assert store.get_model_version("wine", 1).aliases == []
        assert moves(store) == [("champion", "1", None), ("champion", None, "1")]

    def test_a_move_says_what_it_was(self, store: RegistryStore) -> None:
        """It has its number, time, mover and reason, and is the latest entry of the history."""
        registered(store, versions=2)
        store.move_alias("wine", "champion", 1)
        move = store.move_alias("wine", "champion", 2, user_id="ada", reason="Fewer misses: größe 🎉")
        assert isinstance(move, RegistryMove)
        assert (move.name, move.kind, *triple(move)) == ("wine", "alias", "champion", "1", "2")
        assert (move.user_id, move.reason) == ("ada", "Fewer misses: größe 🎉")
        assert move.timestamp == store.get_registered_model("wine").last_updated_timestamp
        assert store.get_history("wine")[0] == move

    def test_where_it_points_already_is_no_move(self, store: RegistryStore) -> None:
        """It says None; the history and the times stay as they are."""
        registered(store, versions=1)
        store.move_alias("wine", "champion", 1)
        before = everything(store)
        moments_later()
        assert store.move_alias("wine", "champion", 1) is None
        assert store.move_alias("wine", "champion", 1, expected=1) is None
        assert everything(store) == before

    # --- compare and set -------------------------------------------------------------------------------------

    def test_an_alias_that_is_where_it_was_expected_moves(self, store: RegistryStore) -> None:
        """A number expects a version, None expects that it is nowhere, ANYWHERE expects nothing."""
        registered(store, versions=3)
        assert store.move_alias("wine", "champion", 1, expected=None)
        assert store.move_alias("wine", "champion", 2, expected=1)
        assert store.move_alias("wine", "champion", 3, expected=ANYWHERE)
        assert store.move_alias("wine", "champion", None, expected=3)
        assert store.move_alias("wine", "champion", None, expected=None) is None
        assert moves(store) == [
            ("champion", "3", None),
            ("champion", "2", "3"),
            ("champion", "1", "2"),
            ("champion", None, "1"),
        ]

    def test_an_alias_that_is_elsewhere_stays(self, store: RegistryStore) -> None:
        """Expected at another version, nowhere, or somewhere while it is not: AliasMoved, and nothing is changed."""
        registered(store, versions=3)
        store.move_alias("wine", "champion", 2)
        before = everything(store)
        for alias, version, expected in (
            ("champion", 3, 1),
            ("champion", 3, None),
            ("champion", None, 3),
            ("champion", None, None),
            ("champion", 2, 1),
            ("absent", 1, 2),
            ("absent", None, 2),
        ):
            with pytest.raises(AliasMoved, match=alias):
                store.move_alias("wine", alias, version, expected=expected)
        assert everything(store) == before

    # --- what is not there -----------------------------------------------------------------------------------

    def test_an_alias_points_only_at_versions_that_exist(self, store: RegistryStore) -> None:
        """A version that does not exist, or does no more, is NotFound, and the alias stays where it was."""
        registered(store, versions=2)
        store.move_alias("wine", "champion", 1)
        store.delete_model_version("wine", 2)
        before = everything(store)
        for version in (2, 3):
            with pytest.raises(NotFound, match="wine"):
                store.move_alias("wine", "champion", version)
        assert everything(store) == before

    def test_aliases_of_a_deleted_version_are_removed(self, store: RegistryStore) -> None:
        """They point nowhere then, which the history says, with who deleted the version and why; others stay."""
        registered(store, versions=2)
        for alias, version in (("champion", 1), ("backup", 2), ("best", 1)):
            store.move_alias("wine", alias, version)
        store.delete_model_version("wine", 1, user_id="ada", reason="leaked data")
        assert store.get_registered_model("wine").aliases == {"backup": 2}
        removed = store.get_history("wine")[:2]
        assert sorted(map(triple, removed), key=str) == [("best", "1", None), ("champion", "1", None)]
        assert {(each.kind, each.user_id, each.reason) for each in removed} == {("alias", "ada", "leaked data")}
        assert len(store.get_history("wine")) == 5

    def test_moving_an_alias_is_an_update(self, store: RegistryStore) -> None:
        """The model and the versions that get or lose it were updated then, other versions were not."""
        registered(store, versions=3)
        store.move_alias("wine", "champion", 1)
        model = store.get_registered_model("wine")
        before = {each.version: each.last_updated_timestamp for each in store.search_model_versions()}
        moments_later()
        store.move_alias("wine", "champion", 2)
        after = {each.version: each.last_updated_timestamp for each in store.search_model_versions()}
        assert store.get_registered_model("wine").last_updated_timestamp > model.last_updated_timestamp
        assert [number for number in (1, 2, 3) if after[number] > before[number]] == [1, 2]
