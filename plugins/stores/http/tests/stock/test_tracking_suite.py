"""The store over MLflow's API is held to what every tracking store promises, as far as a server of MLflow's allows."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from dovetail.testing import TrackingStoreSuite
from dovetail_http import open_tracking

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Protocol

    from dovetail.tracking.store import TrackingStore

    class Served(Protocol):
        uri: str


LATEST = "test_the_latest_point_has_the_highest_step_then_timestamp_then_value"
CANNOT = {
    "the server makes the ids of runs, by which ties go": (
        "test_a_taken_id_is_refused",
        "test_columns_change_neither_order_nor_pages",
        "test_counts_are_the_number_of_runs_found",
        "test_filters_mean_the_same_in_every_store",
        "test_orders_mean_the_same_in_every_store",
        "test_pages_hold_every_run_once",
        "test_rows_come_page_by_page",
        "test_without_an_order_the_latest_start_comes_first",
    ),
    "the server makes the ids and times of logged models": (
        "test_a_model_has_the_status_it_was_given",
        "test_a_model_is_there_when_the_call_returns",
        "test_a_model_needs_nothing_but_an_experiment",
        "test_filters_of_models_mean_the_same_in_every_store",
        "test_inputs_come_back_as_they_are",
        "test_orders_of_models_mean_the_same_in_every_store",
        "test_the_id_of_a_model_is_taken_for_good",
        "test_without_an_order_the_newest_model_comes_first",
    ),
    "the server notes its own times of experiments": ("test_one_that_was_made_elsewhere_keeps_its_time",),
    "the server names runs that have no name": (
        "test_a_batch_is_there_when_the_call_returns",
        "test_a_created_run_comes_back_as_it_was_asked_for",
        "test_all_entries_of_a_group_are_there_when_the_call_returns",
        "test_a_large_batch_is_one_batch",
        "test_a_param_of_a_group_is_written_once",
        "test_a_refused_entry_keeps_no_other_one_out",
        "test_a_tag_of_a_run_is_removed",
        "test_a_tag_of_an_ended_run_is_removed_and_of_a_deleted_run_not",
        "test_an_ended_run_takes_tags_alone",
        "test_an_unknown_model_keeps_the_whole_batch_out",
        "test_keys_differ_by_case_accents_and_spaces",
        "test_tags_are_replaced",
        "test_texts_come_back_as_they_are",
        "test_the_longest_texts_are_kept_whole",
        "test_what_follows_an_end_in_a_group_comes_too_late",
    ),
    "the server keeps no marks of journals": (
        "test_a_group_that_comes_again_changes_nothing",
        "test_a_record_that_arrives_twice_is_stored_once",
        "test_a_refused_record_is_not_marked",
        "test_a_refused_record_of_a_group_is_not_marked",
        "test_a_replay_never_fails",
        "test_an_empty_record_is_marked",
        "test_an_end_that_is_stored_does_not_come_again",
        "test_batches_without_a_mark_leave_marks_alone",
        "test_everything_is_there_after_opening_again",
        "test_marks_rise_within_a_group",
        "test_records_of_ended_runs_are_taken_in_groups",
        "test_the_highest_sequence_counts_up_with_gaps",
        "test_writers_count_each_for_itself",
    ),
    "the server does not know when tags were set": (
        "test_a_late_name_of_a_group_is_that_of_the_tag",
        "test_a_late_name_takes_no_newer_ones_place",
        "test_a_late_tag_takes_no_newer_ones_place",
        "test_late_tags_are_told_apart_by_their_times",
        "test_the_last_tag_of_a_group_holds",
    ),
    "the server keeps no leases": (
        "test_a_batch_ends_no_run_that_somebody_else_sees_to",
        "test_a_holder_that_is_known_to_be_gone_is_not_waited_for",
        "test_a_run_whose_process_is_gone_is_ended_as_crashed",
        "test_a_sign_of_life_keeps_all_runs_of_its_holder",
        "test_runs_in_the_bin_stay_as_they_are",
        "test_an_end_in_a_group_is_somebodys",
        "test_who_takes_a_run_up_has_its_lease",
    ),
    "the server takes no points back": (
        "test_metrics_of_the_machine_stay",
        "test_metrics_that_began_later_are_gone",
        "test_nothing_to_take_away_changes_nothing",
        "test_points_of_a_step_and_later_ones_are_taken_away",
        "test_points_of_logged_models_stay_with_the_models",
        "test_the_same_steps_can_be_logged_again",
    ),
    "the server moves no runs": (
        "test_a_run_moves_with_all_it_logged",
        "test_a_run_takes_what_is_known_of_its_data_to_where_only_metrics_named_it",
        "test_it_goes_on_logging",
        "test_it_goes_with_its_new_experiment",
        "test_its_artifacts_stay_where_they_are",
        "test_moving_it_to_where_it_is_changes_nothing",
        "test_nothing_moves_to_where_nothing_may_be_added",
        "test_searches_find_it_where_it_is",
        "test_two_runs_with_one_dataset_share_it_there",
        "test_what_it_used_goes_along",
    ),
    "the server restores no logged models, and lists none that are deleted": (
        "test_a_model_comes_back_only_into_an_experiment_that_is_there",
        "test_a_restored_model_is_as_it_was",
        "test_a_view_says_whether_deleted_models_are_found",
        "test_models_of_a_deleted_experiment_are_found_in_no_view",
    ),
    "the server brings all runs of an experiment back with it": (
        "test_runs_deleted_earlier_stay_deleted",
        "test_what_went_along_comes_back_after_opening_again",
        "test_what_went_along_once_does_not_come_back_twice",
    ),
    "the server takes nothing away for good, and does not say since when it lies in the bin": (
        "test_a_condemned_experiment_is_found_no_more",
        "test_a_condemned_run_is_found_no_more",
        "test_a_condemned_run_stays_condemned_with_its_experiment",
        "test_a_deleted_run_lies_in_the_bin_with_what_is_known_of_it",
        "test_a_logged_model_goes_the_same_way",
        "test_a_purged_run_is_gone",
        "test_an_experiment_goes_last",
        "test_an_experiment_takes_its_models_along",
        "test_ids_of_purged_experiments_are_not_given_again",
        "test_one_of_two_wins",
        "test_one_of_two_wins_a_model",
        "test_only_what_was_deleted_before_a_moment",
        "test_runs_with_leases_can_be_deleted_for_good",
        "test_the_id_of_a_condemned_run_is_taken",
        "test_the_oldest_comes_first",
        "test_what_a_run_used_and_made_goes_with_it",
        "test_what_was_begun_is_taken_up_after_opening_again",
        "test_what_was_restored_is_not_condemned",
    ),
    "the server's database keeps 0 for NaN, and the largest number for infinity": (
        "test_linked_metrics_are_points_of_model_and_run",
        f"{LATEST}[nan@0/1000 then -inf@0/1000-in one batch]",
        f"{LATEST}[nan@0/1000 then -inf@0/1000-one by one]",
        "test_values_come_back_as_they_are[1.7976931348623157e+308]",
        "test_identical_points_of_a_model_are_one_point",
    ),
    "the server keeps one point of a logged model's metric for a step and time": (
        "test_a_point_of_a_model_says_what_it_was_measured_on",
    ),
    "the server keeps what it noted first of an input or output": (
        "test_an_input_without_tags_gets_those_of_the_next_call",
        "test_what_is_noted_already_is_not_noted_twice",
    ),
}
"""Why a server of MLflow's cannot do what these stories tell."""

LEFT_OUT = {
    "the server gives what a run made in any order": ("test_outputs_come_back_as_they_are",),
    "takes minutes with MLflow, which stores a thousand points in seconds": (
        "test_a_group_does_what_its_entries_do_one_by_one",
        "test_a_group_may_be_large",
        "test_a_long_history_goes_too",
        "test_a_long_history_is_what_was_logged",
        "test_a_long_history_survives_the_end_of_its_run_and_what_comes_later",
        "test_a_page_goes_on_behind_what_came_meanwhile",
        "test_a_series_is_the_history",
        "test_a_series_may_be_an_interval_of_steps",
        "test_a_series_may_be_thinned_out",
        "test_any_points_in_any_batches_make_the_history_they_should",
        "test_long_histories_are_cut_anywhere",
        "test_many_short_histories_of_one_run_are_kept_apart",
        "test_pages_of_a_long_history_make_the_whole",
        "test_pages_of_points_of_one_moment_make_the_whole",
        "test_points_that_come_late_find_their_place",
    ),
    "many at once take minutes with MLflow, which does not promise who of them wins": (
        "test_a_killed_writer_loses_no_acknowledged_batch",
        "test_a_process_killed_in_the_midst_of_a_long_history_loses_no_point",
        "test_a_record_that_several_threads_bring_is_stored_once",
        "test_a_run_that_ends_and_goes_on_while_threads_log_loses_nothing",
        "test_groups_of_several_threads_lose_nothing",
        "test_of_threads_that_say_what_one_dataset_is_for_one_is_heard",
        "test_one_of_several_groups_writes_a_param",
        "test_one_of_several_threads_creates_a_model",
        "test_one_of_several_threads_creates_a_run",
        "test_one_of_several_values_of_a_models_param_wins",
        "test_one_of_several_values_of_a_param_wins",
        "test_processes_that_log_to_one_run_and_end_it_lose_nothing",
        "test_processes_that_make_models_at_once_lose_nothing",
        "test_processes_that_touch_a_fresh_store_together_lose_nothing",
        "test_records_that_several_threads_bring_in_groups_are_stored_once",
        "test_threads_that_log_to_one_run_lose_nothing",
        "test_threads_that_note_links_of_one_run_lose_nothing",
        "test_threads_that_write_to_one_model_lose_nothing",
        "test_threads_whose_runs_use_the_same_data_agree_on_it",
        "test_what_a_killed_process_took_away_in_part_is_taken_away_by_the_next",
    ),
}
"""What is left out, since it comes out in different ways, or to keep the time that tests take in bounds."""


class TestAServerOfMlflows(TrackingStoreSuite):
    survives_reopen = True
    shared_between_processes = True

    @pytest.fixture
    def uri(self, server: Served) -> str:
        return server.uri

    @pytest.fixture
    def store(self, uri: str) -> Iterator[TrackingStore]:
        with closing(open_tracking(uri)) as store:
            yield store

    @pytest.fixture
    def reopen(self) -> Callable[[TrackingStore], TrackingStore]:
        return lambda store: open_tracking(store.uri)
