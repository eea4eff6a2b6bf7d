"""The history of a metric as columns of numbers, for plots and computations over millions of points."""

from __future__ import annotations

import gc
import sys
from array import array
from contextlib import contextmanager
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, NamedTuple

from dovetail.tracking.thinning import METHODS, check_thinning, minmax, minmax_by_numpy, triangles, triangles_by_numpy
from dovetail.values import Metric

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

__all__ = ["METHODS", "MetricArrays", "Series", "numpy_for", "series_of", "thinned"]

_BIG, _HUGE = 20_000, 2_000_000  # points from which numpy pays: once it is loaded, and loading included


class MetricArrays(NamedTuple):
    """The columns of a history as numpy arrays, in the order of the history.

    Args:
        steps: Whole numbers of 64 bits.
        timestamps: Milliseconds since 1970, UTC; whole numbers of 64 bits.
        values: Doubles.
    """

    steps: Any
    timestamps: Any
    values: Any


class Series:
    """Points of one metric of one run, in columns of equal length.

    A column is anything with the buffer protocol, ``len``, slices and ``tolist``: an ``array.array`` or a numpy array.
    Iterating gives ``Metric`` objects.

    Args:
        key: The metric.
        steps: Whole numbers of 64 bits (``array.array("q")``).
        timestamps: Milliseconds since 1970, UTC (``array.array("q")``).
        values: Doubles (``array.array("d")``).
    """

    __slots__ = ("key", "steps", "timestamps", "values")

    def __init__(self, key: str, steps: Any, timestamps: Any, values: Any) -> None:
        self.key = key
        self.steps = steps
        self.timestamps = timestamps
        self.values = values

    @classmethod
    def of(cls, points: Sequence[Metric], key: str | None = None) -> Series:
        """The columns of points, in the order in which they are given.

        Args:
            points: Points of one metric.
            key: The metric; by default the first point's.
        """
        name = key if key is not None else points[0].key if points else ""
        steps, timestamps = array("q", (each.step for each in points)), array("q", (each.timestamp for each in points))
        return cls(name, steps, timestamps, array("d", (each.value for each in points)))

    def __len__(self) -> int:
        return len(self.values)

    def __iter__(self) -> Iterator[Metric]:
        return iter(self.to_metrics())

    def __repr__(self) -> str:
        """Which metric, and how many points."""
        return f"{type(self).__name__}({self.key!r}, {len(self)} points)"

    def between(self, start_step: int | None = None, end_step: int | None = None) -> Series:
        """The points whose steps are in an interval, both ends included; None leaves an end open."""
        if start_step is None and end_step is None:
            return self
        low = -(2**63) if start_step is None else start_step
        high = 2**63 - 1 if end_step is None else end_step
        return self.at([place for place, step in enumerate(self.steps.tolist()) if low <= step <= high])

    def at(self, places: Sequence[int]) -> Series:
        """The points at these positions."""
        return Series(self.key, *(_picked(each, places) for each in (self.steps, self.timestamps, self.values)))

    def to_metrics(self) -> list[Metric]:
        """The points as objects."""
        with _undisturbed(len(self)):
            metrics = list(map(object.__new__, [Metric] * len(self)))
            columns = zip(metrics, self.values.tolist(), self.timestamps.tolist(), self.steps.tolist(), strict=True)
            # What Metric.stored does, without a call for each of perhaps a million points.
            for metric, value, timestamp, step in columns:
                fields = metric.__dict__
                fields["key"], fields["value"], fields["timestamp"], fields["step"] = self.key, value, timestamp, step
        return metrics

    def to_numpy(self) -> MetricArrays:
        """The columns as numpy arrays."""
        import numpy as np

        return MetricArrays(
            np.asarray(self.steps, dtype=np.int64),
            np.asarray(self.timestamps, dtype=np.int64),
            np.asarray(self.values, dtype=np.float64),
        )


def thinned(series: Series, points: int | None, method: str = "minmax") -> Series:
    """A series of at most so many of these points, in the same order.

    The first and the last point are kept. ``minmax`` cuts what is between them into equal parts and keeps the lowest
    and the highest point of each, so that the lowest and highest values of all survive; ``lttb`` keeps one point of
    each part, such that the line through them looks like the whole. NaN is never lowest or highest; where a part is
    nothing but NaN, one is kept, so that the gap shows. The same points always give the same answer.

    Args:
        series: What to thin out.
        points: The most points; a series that has no more comes back as it is. None for all.
        method: One of ``METHODS``.

    Raises:
        InvalidInput: The method is unknown, or fewer than 4 points are asked for.
    """
    points = check_thinning(points, method)
    if points is None or len(series) <= points:
        return series
    if (np := numpy_for(len(series))) is not None:
        by_numpy = minmax_by_numpy if method == "minmax" else triangles_by_numpy
        return series.at(by_numpy(np.asarray(series.values), points))
    return series.at((minmax if method == "minmax" else triangles)(series.values.tolist(), points))


def series_of(
    points_of: Callable[[str], Sequence[Metric]],
    run_ids: Sequence[str],
    steps: tuple[int | None, int | None],
    points: int | None,
    method: str,
) -> dict[str, Series]:
    """What ``TrackingStore.get_metric_series`` answers, made of whole histories.

    Args:
        points_of: The history of the metric in a run.
        run_ids: The runs; those without a point among the steps are left out.
        steps: The first and the last step to include; None for all.
        points: The most points of each series; None for all.
        method: One of ``METHODS``.

    Raises:
        InvalidInput: The method is unknown, or fewer than 4 points are asked for.
    """
    most = check_thinning(points, method)
    found: dict[str, Series] = {}
    for run_id in dict.fromkeys(run_ids):
        series = Series.of(points_of(run_id)).between(*steps)
        if len(series):
            found[run_id] = thinned(series, most, method)
    return found


def numpy_for(points: int) -> Any | None:
    """Numpy, if it is there and makes so many points faster; None if plain Python does as well."""
    loaded = "numpy" in sys.modules and points >= _BIG
    if not loaded and (points < _HUGE or find_spec("numpy") is None):
        return None
    import numpy as np

    return np


@contextmanager
def _undisturbed(objects: int) -> Iterator[None]:
    """Make many objects without the garbage collector, which would go through all of them again and again.

    It takes longer than making them, and finds nothing: none of them is garbage yet.
    """
    pause = objects >= _BIG and gc.isenabled()
    if pause:
        gc.disable()
    try:
        yield
    finally:
        if pause:
            gc.enable()


def _picked(column: Any, places: Sequence[int]) -> Any:
    if isinstance(column, array):
        return array(column.typecode, [column[place] for place in places])
    return column[places]
