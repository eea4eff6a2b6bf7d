"""Tracking stores whose long histories are wrong on purpose, each in one way; see ``broken``."""

from __future__ import annotations

import time
from bisect import bisect_right
from dataclasses import replace
from math import isnan
from typing import TYPE_CHECKING, Any

from dovetail.testing.memory import MemoryTrackingStore
from dovetail.tracking.pages import page_of
from dovetail.tracking.series import Series
from dovetail.values import Batch, JournalMark, Metric, Page, RunStatus

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dovetail.values import RunInfo

__all__ = ["FAULTS"]

MANY = 15_000


class _Ending(MemoryTrackingStore):
    """Does something to histories when a run ends."""

    def update_run(self, run_id: str, *, status: str | None = None, **others: Any) -> RunInfo:
        info = super().update_run(run_id, status=status, **others)
        if status in RunStatus.ENDED:
            self.seal(run_id)
        return info

    def seal(self, run_id: str) -> None:
        """What goes wrong."""
        raise NotImplementedError


class Capped(MemoryTrackingStore):
    """Keeps no more than so many points of a metric."""

    def get_metric_history(self, *args: Any, **options: Any) -> Page[Metric]:
        page = super().get_metric_history(*args, **options)
        return Page(list(page[:MANY]), page.token)


class DroppedAtTheEnd(_Ending):
    """Forgets the newest points of a run that ends."""

    def seal(self, run_id: str) -> None:
        record = self._runs[run_id]
        points = {key: dict(sorted(found.items())[: MANY // 2]) for key, found in record.points.items()}
        self._runs[run_id] = replace(record, points=points)


class OverwrittenMeanwhile(_Ending):
    """Puts histories away without keeping others from writing meanwhile."""

    def seal(self, run_id: str) -> None:
        record = self._runs[run_id]
        time.sleep(0.02)
        with self._lock:
            self._runs[run_id] = replace(self._runs[run_id], points=record.points)


class LateIsTooLate(MemoryTrackingStore):
    """Takes no points that come late, and says nothing."""

    def log_batch(self, run_id: str, batch: Batch, *, mark: JournalMark | None = None, ended: bool = False) -> None:
        if ended and self._runs[run_id].info.status in RunStatus.ENDED:
            batch = Batch((), batch.params, batch.tags)
        super().log_batch(run_id, batch, mark=mark, ended=ended)


class MixedUp(_Ending):
    """Takes metrics whose names have one beginning for one metric, once a run has ended."""

    def seal(self, run_id: str) -> None:
        record = self._runs[run_id]
        points = {key: {**record.points.get(f"{key}0", {}), **found} for key, found in record.points.items()}
        self._runs[run_id] = replace(record, points=points)


class PagesByTime(MemoryTrackingStore):
    """Goes on behind the time of the last point, whatever else has that time."""

    def get_metric_history(
        self, run_id: str, key: str, max_results: int | None = None, page_token: str | None = None
    ) -> Page[Metric]:
        points = list(super().get_metric_history(run_id, key))
        start = 0 if page_token is None else bisect_right(points, int(page_token), key=lambda each: each.timestamp)
        page = points[start:] if max_results is None else points[start : start + max_results]
        more = start + len(page) < len(points)
        return Page(page, str(page[-1].timestamp) if more else None)


class TornPages(MemoryTrackingStore):
    """Loses a point where a page of some thousand ends."""

    def get_metric_history(
        self, run_id: str, key: str, max_results: int | None = None, page_token: str | None = None
    ) -> Page[Metric]:
        page = super().get_metric_history(run_id, key, max_results, page_token)
        return Page(list(page[:-1]), page.token) if page.token and len(page) > 4000 else page


class TokensOfAMoment(MemoryTrackingStore):
    """Knows a token only as long as nothing has changed."""

    def get_metric_history(
        self, run_id: str, key: str, max_results: int | None = None, page_token: str | None = None
    ) -> Page[Metric]:
        points = list(super().get_metric_history(run_id, key))
        return page_of(points, max_results, page_token, (run_id, key, str(len(points))))


class DefinedOnly(MemoryTrackingStore):
    """Has no NaN in columns."""

    def get_metric_series(self, *args: Any, **options: Any) -> dict[str, Series]:
        found = super().get_metric_series(*args, **options)
        return {
            run_id: series.at([place for place, value in enumerate(series.values) if not isnan(value)])
            for run_id, series in found.items()
        }


class HalfOpen(MemoryTrackingStore):
    """Leaves the last step of an interval out."""

    def get_metric_series(
        self, run_ids: Sequence[str], key: str, *, end_step: int | None = None, **options: Any
    ) -> dict[str, Series]:
        end = None if end_step is None else end_step - 1
        return super().get_metric_series(run_ids, key, end_step=end, **options)


class EmptySeries(MemoryTrackingStore):
    """Gives an empty series for what is not there."""

    def get_metric_series(self, run_ids: Sequence[str], key: str, **options: Any) -> dict[str, Series]:
        found = super().get_metric_series(run_ids, key, **options)
        return {run_id: found.get(run_id, Series.of([], key)) for run_id in run_ids}


class EveryNth(MemoryTrackingStore):
    """Thins out by leaving points out, peaks or not."""

    def get_metric_series(
        self, run_ids: Sequence[str], key: str, *, points: int | None = None, method: str = "minmax", **options: Any
    ) -> dict[str, Series]:
        super().get_metric_series([], key, points=points, method=method)
        found = super().get_metric_series(run_ids, key, **options)
        if points is None:
            return found
        return {run_id: _every_nth(series, points) for run_id, series in found.items()}


def _every_nth(series: Series, points: int) -> Series:
    last = len(series) - 1
    return series if last < points else series.at([last * each // (points - 1) for each in range(points)])


class ThinnedAnyway(MemoryTrackingStore):
    """Thins out what is short enough."""

    def get_metric_series(
        self, run_ids: Sequence[str], key: str, *, points: int | None = None, **options: Any
    ) -> dict[str, Series]:
        fewer = None if points is None or points < 8 else points // 2
        return super().get_metric_series(run_ids, key, points=fewer or points, **options)


class Unchecked(MemoryTrackingStore):
    """Takes any number of points and any method where there is nothing to thin out."""

    def get_metric_series(self, run_ids: Sequence[str], key: str, **options: Any) -> dict[str, Series]:
        return super().get_metric_series(run_ids, key, **options) if run_ids else {}


FAULTS: dict[type[MemoryTrackingStore], str] = {
    Capped: "test_a_long_history_is_what_was_logged",
    DroppedAtTheEnd: "test_a_long_history_survives_the_end_of_its_run_and_what_comes_later",
    OverwrittenMeanwhile: "test_a_run_that_ends_and_goes_on_while_threads_log_loses_nothing",
    LateIsTooLate: "test_points_that_come_late_find_their_place",
    MixedUp: "test_many_short_histories_of_one_run_are_kept_apart",
    PagesByTime: "test_pages_of_points_of_one_moment_make_the_whole",
    TornPages: "test_pages_of_a_long_history_make_the_whole",
    TokensOfAMoment: "test_a_page_goes_on_behind_what_came_meanwhile",
    DefinedOnly: "test_a_series_is_the_history",
    HalfOpen: "test_a_series_may_be_an_interval_of_steps",
    EmptySeries: "test_a_series_of_nothing_is_left_out",
    EveryNth: "test_a_series_may_be_thinned_out",
    ThinnedAnyway: "test_a_series_of_few_points_stays_as_it_is",
    Unchecked: "test_an_impossible_thinning_is_refused",
}
"""Every store with a fault, and the story that must catch it."""
