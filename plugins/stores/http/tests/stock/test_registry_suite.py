"""The registry over MLflow's API is held to what every registry promises, as far as a server of MLflow's allows."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from dovetail.testing import RegistryStoreSuite
from dovetail_http import open_registry

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Protocol

    from dovetail.registry.store import RegistryStore

    class Served(Protocol):
        uri: str


CANNOT = {
    "the server keeps no history": (
        "test_a_history_token_is_good_for_its_own_history_alone",
        "test_a_name_that_was_given_away_begins_anew",
        "test_a_renamed_and_deleted_model_is_found_by_its_last_name",
        "test_a_version_goes_through_all_stages",
        "test_a_version_in_the_stage_where_it_was_expected_moves",
        "test_aliases_of_a_deleted_version_are_removed",
        "test_all_others_of_a_stage_are_archived",
        "test_an_alias_is_removed",
        "test_an_alias_of_full_length_is_kept",
        "test_an_alias_that_is_where_it_was_expected_moves",
        "test_another_model_of_the_name_takes_the_history_over",
        "test_everything_is_there_after_opening_again",
        "test_numbers_count_up_within_a_registry",
        "test_one_alias_or_version_may_be_asked_for",
        "test_pages_hold_every_move_once",
        "test_the_history_goes_along_with_a_new_name",
        "test_the_history_outlives_its_model",
        "test_the_latest_move_comes_first",
        "test_the_only_one_of_a_stage_stays_in_it",
    ),
    "the server takes neither tags nor aliases nor descriptions of versions for updates": (
        "test_a_move_says_what_it_was",
        "test_a_version_is_described_anew",
        "test_models_are_sorted_by_their_last_update",
        "test_moving_an_alias_is_an_update",
        "test_tagging_is_an_update",
        "test_without_an_order_the_latest_update_comes_first",
    ),
    "the server hides prompts, and takes no versions of them from others": (
        "test_a_model_is_found_with_all_it_has",
        "test_a_version_is_found_with_all_it_has",
        "test_a_version_token_is_good_for_its_own_search_alone",
        "test_model_filters_mean_the_same_in_every_registry",
        "test_model_filters_that_cannot_be_parsed_are_refused",
        "test_model_orders_mean_the_same_in_every_registry",
        "test_pages_hold_every_version_once",
        "test_version_filters_mean_the_same_in_every_registry",
        "test_version_filters_that_cannot_be_parsed_are_refused",
        "test_version_orders_mean_the_same_in_every_registry",
    ),
    "the server looks whether sources are paths, and runs and logged models are there": (
        "test_a_model_is_renamed_with_all_it_has",
        "test_a_version_is_what_it_was_registered_as",
        "test_a_version_of_which_little_is_known",
        "test_long_version_texts_are_kept_whole",
    ),
    "the server keeps no empty descriptions": (
        "test_a_description_may_be_emptied",
        "test_a_model_without_a_description_has_none",
    ),
    "the server looks at keys before names": ("test_no_model_has_a_name_that_cannot_be_stored",),
}
"""Why a server of MLflow's cannot do what these stories tell."""

LEFT_OUT = {
    "many at once take minutes with MLflow, which does not promise who of them wins": (
        "test_a_killed_writer_leaves_nothing_half_registered",
        "test_a_model_that_is_deleted_meanwhile_leaves_nothing",
        "test_moves_at_once_are_a_chain",
        "test_one_of_several_expected_moves_wins",
        "test_one_of_several_expected_transitions_wins",
        "test_one_version_is_in_production_in_the_end",
        "test_processes_that_touch_a_fresh_registry_together_lose_nothing",
        "test_versions_registered_while_the_model_is_renamed_go_along",
        "test_versions_that_are_registered_at_once_are_numbered_one_by_one",
    ),
}
"""What is left out, since it comes out in different ways, or to keep the time that tests take in bounds."""


class TestAServerOfMlflows(RegistryStoreSuite):
    survives_reopen = True
    shared_between_processes = True

    @pytest.fixture
    def uri(self, server: Served) -> str:
        return server.uri

    @pytest.fixture
    def store(self, uri: str) -> Iterator[RegistryStore]:
        with closing(open_registry(uri)) as store:
            yield store

    @pytest.fixture
    def reopen(self) -> Callable[[RegistryStore], RegistryStore]:
        return lambda store: open_registry(store.uri)
