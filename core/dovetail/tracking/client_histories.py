"""The part of the client that reads histories of metrics: as objects, as arrays, of many runs, thinned out."""

from __future__ import annotations

import operator
from abc import abstractmethod
from typing import TYPE_CHECKING, overload

from dovetail.errors import InvalidInput, PluginMissing
from dovetail.tracking.casting import as_list
from dovetail.tracking.series import Series
from dovetail.tracking.walking import every
from dovetail.values.names import MAX_INT, check_name, check_run_id

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dovetail.tracking.series import MetricArrays
    from dovetail.tracking.store import TrackingStore
    from dovetail.values import Metric

__all__ = ["HistoryClient"]


class HistoryClient:
    """Histories of metrics by run id; calls go straight to the store."""

    @property
    @abstractmethod
    def store(self) -> TrackingStore:
        """The tracking store behind this client."""

    def get_metric_history(self, run_id: str, key: str) -> list[Metric]:
        """All points of a metric, in order of timestamp, step and value; none for what was never logged.

        For more than some ten thousand points ``metric_history_arrays`` is many times faster.
        """
        check_run_id(run_id)
        check_name("metric key", key)
        return list(every(lambda token: self.store.get_metric_history(run_id, key, page_token=token)))

    def metric_history_arrays(
        self, run_id: str, key: str, start_step: int | None = None, end_step: int | None = None
    ) -> MetricArrays:
        """All points of a metric as three numpy arrays of equal length, in the order of ``get_metric_history``.

        Args:
            run_id: The run.
            key: The metric.
            start_step: The first step to include; by default all.
            end_step: The last step to include; by default all.

        Returns:
            A named tuple ``steps, timestamps, values``: whole numbers, milliseconds since 1970 (UTC), floats. The
            arrays are empty for what was never logged.

        Raises:
            PluginMissing: Numpy is not installed.
        """
        try:
            import numpy  # noqa: F401, ICN001 - before anything is read
        except ImportError as error:
            raise PluginMissing(
                f"metric_history_arrays returns numpy arrays, and numpy cannot be imported: {error}.",
                hint="Install it with `pip install numpy`, or use sampled_metric_history or get_metric_history.",
            ) from error
        return self._series([run_id], key, start_step, end_step).get(run_id, Series.of([], key)).to_numpy()

    def get_metric_history_bulk(self, run_ids: Sequence[str], key: str) -> dict[str, list[Metric]]:
        """All points of a metric in several runs, by run id; runs that have none are left out."""
        return {run_id: series.to_metrics() for run_id, series in self._series(run_ids, key).items()}

    def get_metric_history_bulk_interval(
        self,
        run_ids: Sequence[str],
        metric_key: str,
        start_step: int | None = None,
        end_step: int | None = None,
        max_results: int = 2500,
    ) -> dict[str, list[Metric]]:
        """What several runs have of a metric within an interval of steps, thinned out where it is too much to draw.

        Args:
            run_ids: The runs; those that have no point there are left out of the answer.
            metric_key: The metric.
            start_step: The first step to include; by default all.
            end_step: The last step to include; by default all.
            max_results: The most points of each run, at least 4. Of more, the first and the last and the lowest and
                highest of equal parts are given.
        """
        found = self._series(run_ids, metric_key, start_step, end_step, max_results)
        return {run_id: series.to_metrics() for run_id, series in found.items()}

    @overload  # text is a sequence of texts, too; the first one that fits holds
    def sampled_metric_history(  # type: ignore[overload-overlap]
        self,
        run_ids: str,
        key: str,
        points: int = 2000,
        method: str = "minmax",
        start_step: int | None = None,
        end_step: int | None = None,
    ) -> Series: ...

    @overload
    def sampled_metric_history(
        self,
        run_ids: Sequence[str],
        key: str,
        points: int = 2000,
        method: str = "minmax",
        start_step: int | None = None,
        end_step: int | None = None,
    ) -> dict[str, Series]: ...

    def sampled_metric_history(
        self,
        run_ids: str | Sequence[str],
        key: str,
        points: int = 2000,
        method: str = "minmax",
        start_step: int | None = None,
        end_step: int | None = None,
    ) -> Series | dict[str, Series]:
        """A history of any length, thinned out to what a plot can show; ten million points take a moment.

        Args:
            run_ids: A run, or several.
            key: The metric.
            points: The most points of each run, at least 4; shorter histories come whole.
            method: ``minmax`` loses no peak: the lowest and the highest of each part are kept. ``lttb`` ("largest
                triangle three buckets") looks smoother, has to read every point, and may lose a peak.
            start_step: The first step to include; by default all.
            end_step: The last step to include; by default all.

        Returns:
            A series with columns ``steps``, ``timestamps`` and ``values``, and ``to_numpy()``; for several runs one for
            each that has points, by run id.

        Raises:
            InvalidInput: The method is unknown, or fewer than 4 points are asked for.
        """
        if isinstance(run_ids, str):
            found = self._series([run_ids], key, start_step, end_step, points, method)
            return found.get(run_ids, Series.of([], key))
        return self._series(run_ids, key, start_step, end_step, points, method)

    def _series(
        self,
        run_ids: Sequence[str],
        key: str,
        start_step: int | None = None,
        end_step: int | None = None,
        points: int | None = None,
        method: str = "minmax",
    ) -> dict[str, Series]:
        start, end = _step("start_step", start_step), _step("end_step", end_step)
        ids = [check_run_id(run_id) for run_id in as_list("The ids of runs", run_ids)]
        check_name("metric key", key)
        return self.store.get_metric_series(ids, key, start_step=start, end_step=end, points=points, method=method)


def _step(name: str, step: int | None) -> int | None:
    if step is None:
        return None
    try:
        number = operator.index(step)
    except TypeError:
        number = MAX_INT + 1
    if isinstance(step, bool) or not -MAX_INT - 1 <= number <= MAX_INT:
        raise InvalidInput(f"{name} is {step!r}; it must be a whole number of 64 bits.")
    return number
