"""Stories about the history of moves."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from dovetail.errors import InvalidFilter
from dovetail.testing.registry_store.base import Stories, moves, registered, walk
from dovetail.values.measure import now_ms

if TYPE_CHECKING:
    from dovetail.registry.store import RegistryStore

__all__ = ["HistoryStories"]


class HistoryStories(Stories):
    """The history of a model's aliases and stages."""

    def test_the_latest_move_comes_first(self, store: RegistryStore) -> None:
        """Moves of aliases and stages stand in one history, numbered upwards, with times that do not go back."""
        registered(store, versions=2)
        before = now_ms()
        store.move_alias("wine", "champion", 1)
        store.transition_stage("wine", 2, "Staging")
        store.move_alias("wine", "champion", 2)
        store.move_alias("wine", "champion", None)
        history = store.get_history("wine")
        assert [(each.kind, each.what, each.before, each.after) for each in history] == [
            ("alias", "champion", "2", None),
            ("alias", "champion", "1", "2"),
            ("stage", "2", "None", "Staging"),
            ("alias", "champion", None, "1"),
        ]
        numbers, times = [each.number for each in history], [each.timestamp for each in history]
        assert numbers == sorted(set(numbers), reverse=True)
        assert times == sorted(times, reverse=True)
        assert times[-1] >= before - 1000
        assert {(each.name, each.user_id, each.reason) for each in history} == {("wine", "", "")}

    def test_numbers_count_up_within_a_registry(self, store: RegistryStore) -> None:
        """Of two moves of different models the later one has the higher number."""
        for name in ("wine", "beer"):
            registered(store, name, versions=2)
        for version, name in ((1, "wine"), (1, "beer"), (2, "wine"), (2, "beer")):
            store.move_alias(name, "champion", version)
        wine, beer = ([each.number for each in store.get_history(name)] for name in ("wine", "beer"))
        assert wine[1] < beer[1] < wine[0] < beer[0]

    def test_a_model_that_nothing_was_moved_of_has_no_history(self, store: RegistryStore) -> None:
        """Neither has a name that never was a model's."""
        registered(store, versions=1)
        assert list(store.get_history("wine")) == []
        assert list(store.get_history("beer")) == []
        assert list(store.get_history("beer", "champion")) == []

    def test_one_alias_or_version_may_be_asked_for(self, store: RegistryStore) -> None:
        """An alias finds its own moves, a number those of that version's stage."""
        registered(store, versions=2)
        store.move_alias("wine", "champion", 1)
        store.move_alias("wine", "backup", 1)
        store.transition_stage("wine", 1, "Staging")
        store.transition_stage("wine", 2, "Staging")
        store.move_alias("wine", "champion", 2)
        assert moves(store, what="champion") == [("champion", "1", "2"), ("champion", None, "1")]
        assert moves(store, what="1") == [("1", "None", "Staging")]
        assert moves(store, what="Champion") == []

    def test_a_refused_move_is_not_noted(self, store: RegistryStore) -> None:
        """What did not happen is not in the history."""
        registered(store, versions=1)
        store.move_alias("wine", "champion", 1)
        history = list(store.get_history("wine"))
        for call in (
            lambda: store.move_alias("wine", "champion", 2),
            lambda: store.move_alias("wine", "champion", None, expected=7),
            lambda: store.transition_stage("wine", 2, "Staging", archive_existing=True),
        ):
            with pytest.raises(Exception, match="wine"):
                call()
        assert list(store.get_history("wine")) == history

    def test_the_history_goes_along_with_a_new_name(self, store: RegistryStore) -> None:
        """Under the new name it includes what came before, which says what the model was called then."""
        registered(store, versions=2)
        store.move_alias("wine", "champion", 1)
        store.update_registered_model("wine", new_name="vino")
        store.move_alias("vino", "champion", 2)
        history = store.get_history("vino")
        assert [(each.name, each.before, each.after) for each in history] == [("vino", "1", "2"), ("wine", None, "1")]
        assert list(store.get_history("wine")) == []

    def test_a_name_that_was_given_away_begins_anew(self, store: RegistryStore) -> None:
        """Another model of a name that a renamed one had has a history of its own."""
        registered(store, versions=1)
        store.move_alias("wine", "champion", 1)
        store.update_registered_model("wine", new_name="vino")
        registered(store, versions=1)
        assert list(store.get_history("wine")) == []
        store.move_alias("wine", "best", 1)
        assert moves(store, "wine") == [("best", None, "1")]
        assert moves(store, "vino") == [("champion", None, "1")]

    def test_the_history_outlives_its_model(self, store: RegistryStore) -> None:
        """A deleted model's is found by its last name, and says that its aliases are gone."""
        registered(store, versions=2)
        store.move_alias("wine", "champion", 1, user_id="ada", reason="first")
        store.transition_stage("wine", 2, "Production")
        history = list(store.get_history("wine"))
        store.delete_registered_model("wine")
        assert list(store.get_history("wine"))[1:] == history
        assert moves(store)[0] == ("champion", "1", None)
        assert moves(store, what="champion") == [("champion", "1", None), ("champion", None, "1")]

    def test_a_renamed_and_deleted_model_is_found_by_its_last_name(self, store: RegistryStore) -> None:
        """Not by what it was called before."""
        registered(store, versions=1)
        store.transition_stage("wine", 1, "Production")
        store.update_registered_model("wine", new_name="vino")
        store.delete_registered_model("vino")
        assert moves(store, "vino") == [("1", "None", "Production")]
        assert moves(store, "wine") == []

    def test_another_model_of_the_name_takes_the_history_over(self, store: RegistryStore) -> None:
        """From then on the name means the new model, also once that one is deleted."""
        for alias in ("first", "second"):
            registered(store, versions=1)
            assert moves(store) == []
            store.move_alias("wine", alias, 1)
            store.delete_registered_model("wine")
            assert moves(store) == [(alias, "1", None), (alias, None, "1")]
        registered(store, "beer")
        store.update_registered_model("beer", new_name="wine")
        assert moves(store) == []

    # --- pages -----------------------------------------------------------------------------------------------

    @pytest.mark.parametrize("size", [1, 3, 5, 100])
    def test_pages_hold_every_move_once(self, store: RegistryStore, size: int) -> None:
        """Page by page, all moves come in order; the last page has no token."""
        registered(store, versions=2)
        for number in range(5):
            store.move_alias("wine", "champion", 1 + number % 2)
        pages = walk(lambda token: store.get_history("wine", None, size, token))
        assert [move for page in pages for move in page] == list(store.get_history("wine"))
        assert [len(page) for page in pages[:-1]] == [size] * (len(pages) - 1)
        assert 0 < len(pages[-1]) <= size

    def test_a_history_token_is_good_for_its_own_history_alone(self, store: RegistryStore) -> None:
        """The token of another model's history, of another alias's, or rubbish is InvalidFilter."""
        for name in ("wine", "beer"):
            registered(store, name, versions=2)
            for version in (1, 2, 1):
                store.move_alias(name, "champion", version)
        token = store.get_history("wine", max_results=1).token
        for name, what, given in (("beer", None, token), ("wine", "champion", token), ("wine", None, "rubbish")):
            with pytest.raises(InvalidFilter):
                store.get_history(name, what, 1, given)
