"""Tracking stores that are wrong on purpose, each in one way.

They are the proof that ``TrackingStoreSuite`` catches what it says it catches: it must pass on
``MemoryTrackingStore`` and fail on every one of these.
"""

from __future__ import annotations

import math
import sys
import time
from contextlib import nullcontext, suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

from dovetail.errors import AlreadyExists, InvalidFilter, ParamConflict
from dovetail.testing import (
    broken_bins,
    broken_datasets,
    broken_endings,
    broken_groups,
    broken_histories,
    broken_leases,
    broken_models,
)
from dovetail.testing.memory import MemoryTrackingStore
from dovetail.testing.records import RUN_NAME, Record
from dovetail.tracking.pages import page_of
from dovetail.values import Batch, JournalMark, LifecycleStage, Metric, Param, ViewType

if TYPE_CHECKING:
    import threading
    from collections.abc import Sequence

    from typing_extensions import Self

    from dovetail.values import Page, Run, RunInfo

__all__ = ["FAULTS"]


# --- batches -------------------------------------------------------------------------------------------------


class TornBatches(MemoryTrackingStore):
    """Stores metrics and tags of a batch before it looks at the params."""

    def log_batch(self, run_id: str, batch: Batch, *, mark: JournalMark | None = None, ended: bool = False) -> None:
        if batch.params and (mark is None or mark.sequence > self.applied(mark.writer)):
            super().log_batch(run_id, Batch(batch.metrics, (), batch.tags), ended=ended or mark is not None)
        super().log_batch(run_id, batch, mark=mark, ended=ended)


class OverwrittenParams(MemoryTrackingStore):
    """Lets the later value of a param win."""

    class record(Record):  # noqa: N801 - takes the place of an attribute
        def with_params(self, params: Sequence[Param]) -> Self:
            return replace(self, params={**self.params, **{param.key: param.value for param in params}})


class IgnoredConflicts(MemoryTrackingStore):
    """Keeps the earlier value of a param and says nothing."""

    def log_batch(self, run_id: str, batch: Batch, *, mark: JournalMark | None = None, ended: bool = False) -> None:
        with suppress(ParamConflict):
            super().log_batch(run_id, batch, mark=mark, ended=ended)


class StrippedTexts(MemoryTrackingStore):
    """Takes spaces off the ends of params."""

    def log_batch(self, run_id: str, batch: Batch, *, mark: JournalMark | None = None, ended: bool = False) -> None:
        params = tuple(Param(param.key, param.value.strip()) for param in batch.params)
        super().log_batch(run_id, Batch(batch.metrics, params, batch.tags), mark=mark, ended=ended)


class EncodedIds(MemoryTrackingStore):
    """Lets out what its driver makes of an id that is no text."""

    def get_run(self, run_id: str) -> Run:
        return super().get_run(run_id.encode().decode())


class EndlessRuns(MemoryTrackingStore):
    """Takes metrics for runs that have ended."""

    def log_batch(self, run_id: str, batch: Batch, *, mark: JournalMark | None = None, ended: bool = False) -> None:
        del ended
        super().log_batch(run_id, batch, mark=mark, ended=True)


class ForgottenMarks(MemoryTrackingStore):
    """Keeps no marks, so that a journal read twice is stored twice."""

    def log_batch(self, run_id: str, batch: Batch, *, mark: JournalMark | None = None, ended: bool = False) -> None:
        super().log_batch(run_id, batch, ended=ended or mark is not None)


class SharedMarks(MemoryTrackingStore):
    """Counts all writers' sequences as one."""

    def log_batch(self, run_id: str, batch: Batch, *, mark: JournalMark | None = None, ended: bool = False) -> None:
        super().log_batch(run_id, batch, mark=mark and JournalMark("all", mark.sequence), ended=ended)

    def applied(self, writer: str) -> int:
        del writer
        return super().applied("all")


class HastyMarks(MemoryTrackingStore):
    """Marks a record as stored before it is stored."""

    def log_batch(self, run_id: str, batch: Batch, *, mark: JournalMark | None = None, ended: bool = False) -> None:
        before = 0 if mark is None else self.applied(mark.writer)
        try:
            super().log_batch(run_id, batch, mark=mark, ended=ended)
        finally:
            if mark is not None:
                self._marks[mark.writer] = max(before, mark.sequence)


# --- metrics -------------------------------------------------------------------------------------------------


class LostNaN(MemoryTrackingStore):
    """Drops metrics that are no number."""

    class record(Record):  # noqa: N801 - takes the place of an attribute
        def with_metrics(self, metrics: Sequence[Metric]) -> Self:
            return super().with_metrics([metric for metric in metrics if not math.isnan(metric.value)])


class ClampedInfinities(MemoryTrackingStore):
    """Turns the infinities into the largest numbers."""

    class record(Record):  # noqa: N801 - takes the place of an attribute
        def with_metrics(self, metrics: Sequence[Metric]) -> Self:
            most = sys.float_info.max
            clamped = [replace(each, value=max(-most, min(most, each.value))) for each in metrics]
            return super().with_metrics(
                [each if math.isnan(each.value) else kept for each, kept in zip(metrics, clamped, strict=True)]
            )


class DoubledPoints(MemoryTrackingStore):
    """Keeps identical points as often as they come."""

    class record(Record):  # noqa: N801 - takes the place of an attribute
        def rank(self, metric: Metric) -> tuple[float, ...]:
            return *super().rank(metric), float(sum(map(len, self.points.values()))), time.perf_counter()


class LatestByArrival(MemoryTrackingStore):
    """Takes the point that came last for the latest."""

    class record(Record):  # noqa: N801 - takes the place of an attribute
        def later(self, one: Metric, other: Metric) -> Metric:
            del one
            return other


class LatestByTime(MemoryTrackingStore):
    """Asks for the timestamp before it asks for the step."""

    class record(Record):  # noqa: N801 - takes the place of an attribute
        def later(self, one: Metric, other: Metric) -> Metric:
            return max(one, other, key=lambda each: (each.timestamp, each.step, each.value))


class HistoryByStep(MemoryTrackingStore):
    """Puts a history in order of steps."""

    class record(Record):  # noqa: N801 - takes the place of an attribute
        def rank(self, metric: Metric) -> tuple[float, ...]:
            timestamp, step, *rest = super().rank(metric)
            return step, timestamp, *rest


# --- names and states ----------------------------------------------------------------------------------------


class ReusedNames(MemoryTrackingStore):
    """Gives the name of a deleted experiment away."""

    def create_experiment(self, name: str, *args: Any, **options: Any) -> str:
        holder = self.get_experiment_by_name(name)
        if holder is not None and holder.lifecycle_stage == LifecycleStage.DELETED:
            self._keep(replace(holder, name=f"{name} (deleted)"))
        return super().create_experiment(name, *args, **options)


class CaselessNames(MemoryTrackingStore):
    """Takes names that differ in case for one."""

    def create_experiment(self, name: str, *args: Any, **options: Any) -> str:
        if name.lower() in {each.name.lower() for each in self.search_experiments(view_type=ViewType.ALL)}:
            raise AlreadyExists(f"The name {name!r} is taken.")
        return super().create_experiment(name, *args, **options)


class TimesOfArrival(MemoryTrackingStore):
    """Dates every experiment by the moment at which it is told of it."""

    def create_experiment(self, name: str, *args: Any, **options: Any) -> str:
        return super().create_experiment(name, *args[:2], **{**options, "creation_time": None})


class RecycledIds(MemoryTrackingStore):
    """Gives a new experiment the id of a deleted one that nobody is thought to miss."""

    def create_experiment(self, name: str, *args: Any, **options: Any) -> str:
        newest = self._experiments[max(self._experiments, key=int)]
        if newest.lifecycle_stage == LifecycleStage.DELETED and newest.name != name:
            del self._experiments[newest.experiment_id]
        return super().create_experiment(name, *args, **options)


class RestoredTooMuch(MemoryTrackingStore):
    """Brings back every run of a restored experiment, those deleted earlier too."""

    def restore_experiment(self, experiment_id: str) -> None:
        super().restore_experiment(experiment_id)
        for run_id in self._members(experiment_id):
            self.restore_run(run_id)


class RunsLeftBehind(MemoryTrackingStore):
    """Deletes an experiment without its runs."""

    def delete_experiment(self, experiment_id: str) -> None:
        runs = self._members(experiment_id)
        super().delete_experiment(experiment_id)
        self._runs.update(runs)


class SwallowedRenames(MemoryTrackingStore):
    """Sets the tag of a run's name and leaves the name."""

    def log_batch(self, run_id: str, batch: Batch, *, mark: JournalMark | None = None, ended: bool = False) -> None:
        before = self.get_run(run_id).info.run_name
        super().log_batch(run_id, batch, mark=mark, ended=ended)
        record = self._record(run_id)
        self._runs[run_id] = replace(record, info=replace(record.info, run_name=before))


class UntaggedRenames(MemoryTrackingStore):
    """Sets a run's name and leaves the tag of the name."""

    class record(Record):  # noqa: N801 - takes the place of an attribute
        def named(self, name: str) -> Self:
            kept = self.tags.get(RUN_NAME)
            renamed = super().named(name)
            return renamed if kept is None else replace(renamed, tags={**renamed.tags, RUN_NAME: kept})


class LastingEnds(MemoryTrackingStore):
    """Leaves the end time of a run that is taken up again."""

    def update_run(self, run_id: str, *, status: str | None = None, **others: Any) -> RunInfo:
        kept = self.get_run(run_id).info.end_time
        updated = super().update_run(run_id, status=status, **others)
        if updated.end_time is None and kept is not None:
            return super().update_run(run_id, end_time=kept)
        return updated


# --- searches ------------------------------------------------------------------------------------------------


class OverlappingPages(MemoryTrackingStore):
    """Starts each page with the last run of the page before."""

    def search_runs(self, *args: Any, **options: Any) -> Page[Run]:
        page = super().search_runs(*args, **options)
        if page.token is not None and len(page) > 1:
            page.token = super().search_runs(*args, **{**options, "max_results": len(page) - 1}).token
        return page


class ForgetfulTokens(MemoryTrackingStore):
    """Takes the token of any search, and rubbish for the first page."""

    def search_runs(self, *args: Any, **options: Any) -> Page[Run]:
        try:
            return super().search_runs(*args, **options)
        except InvalidFilter:
            return super().search_runs(*args, **{**options, "page_token": None})


class UnsortedTies(MemoryTrackingStore):
    """Leaves runs that nothing tells apart in the order they were created."""

    def search_runs(
        self,
        experiment_ids: Sequence[str],
        filter_string: str | None = None,
        order_by: Sequence[str] = (),
        view_type: ViewType = ViewType.ACTIVE_ONLY,
        max_results: int = 1000,
        page_token: str | None = None,
        columns: Sequence[str] | None = None,
    ) -> Page[Run]:
        found = super().search_runs(experiment_ids, filter_string, order_by, view_type, columns=columns)
        created = list(self._runs)
        if not order_by:
            found.sort(key=lambda run: created.index(run.info.run_id))
        search = (*experiment_ids, filter_string or "", *order_by, view_type.name)
        return page_of(found, max_results, page_token, search)


class UnfilteredViews(MemoryTrackingStore):
    """Shows deleted runs among the active ones."""

    def search_runs(self, *args: Any, **options: Any) -> Page[Run]:
        return super().search_runs(*args, **{**options, "view_type": ViewType.ALL})


# --- threads -------------------------------------------------------------------------------------------------


class CheckedTooEarly(MemoryTrackingStore):
    """Looks whether a name is free, and takes it a moment later."""

    def create_experiment(self, name: str, *args: Any, **options: Any) -> str:
        self._require_free(name)
        time.sleep(0.001)
        with self._lock:
            experiment_id = str(1 + max(map(int, self._experiments)))
            self._add_experiment(experiment_id, name, *args, **options)
            return experiment_id


class Unlocked(MemoryTrackingStore):
    """Lets threads write over each other's work."""

    class record(Record):  # noqa: N801 - takes the place of an attribute
        def with_batch(self, batch: Batch) -> Self:
            written = super().with_batch(batch)
            time.sleep(0.0001)
            return written

    def __init__(self) -> None:
        super().__init__()
        self._lock = cast("threading.RLock", nullcontext())


FAULTS: dict[type[MemoryTrackingStore], str] = {
    TornBatches: "test_a_conflicting_param_keeps_the_whole_batch_out",
    OverwrittenParams: "test_a_conflicting_param_keeps_the_whole_batch_out",
    IgnoredConflicts: "test_a_conflicting_param_keeps_the_whole_batch_out",
    StrippedTexts: "test_texts_come_back_as_they_are",
    EncodedIds: "test_no_run_has_an_id_that_cannot_be_stored",
    EndlessRuns: "test_an_ended_run_takes_tags_alone",
    ForgottenMarks: "test_a_record_that_arrives_twice_is_stored_once",
    SharedMarks: "test_writers_count_each_for_itself",
    HastyMarks: "test_a_refused_record_is_not_marked",
    LostNaN: "test_values_come_back_as_they_are",
    ClampedInfinities: "test_values_come_back_as_they_are",
    DoubledPoints: "test_identical_points_are_one_point",
    LatestByArrival: "test_the_latest_point_has_the_highest_step_then_timestamp_then_value",
    LatestByTime: "test_the_latest_point_has_the_highest_step_then_timestamp_then_value",
    HistoryByStep: "test_history_goes_by_timestamp_then_step_then_value",
    ReusedNames: "test_the_name_of_a_deleted_experiment_stays_taken",
    CaselessNames: "test_names_differ_by_case_and_accents",
    TimesOfArrival: "test_one_that_was_made_elsewhere_keeps_its_time",
    RecycledIds: "test_ids_are_whole_numbers_that_count_up",
    RestoredTooMuch: "test_runs_deleted_earlier_stay_deleted",
    RunsLeftBehind: "test_deleting_takes_the_runs_along_and_restoring_brings_them_back",
    SwallowedRenames: "test_setting_the_tag_renames",
    UntaggedRenames: "test_renaming_changes_the_tag",
    LastingEnds: "test_taking_a_run_up_again_clears_the_end_time",
    OverlappingPages: "test_pages_hold_every_run_once",
    ForgetfulTokens: "test_a_token_is_good_for_its_own_search_alone",
    UnsortedTies: "test_without_an_order_the_latest_start_comes_first",
    UnfilteredViews: "test_a_view_shows_active_or_deleted_runs_or_both",
    CheckedTooEarly: "test_one_of_several_threads_creates_an_experiment",
    Unlocked: "test_threads_that_log_to_one_run_lose_nothing",
    **broken_histories.FAULTS,
    **broken_endings.FAULTS,
    **broken_groups.FAULTS,
    **broken_leases.FAULTS,
    **broken_models.FAULTS,
    **broken_bins.FAULTS,
    **broken_datasets.FAULTS,
}
"""Every store with a fault, and the story of the suite that must catch it."""
