"""Points in the files of a directory of MLflow's: one file for each metric, one line for each point."""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING

from dovetail.errors import StoreError
from dovetail.tracking.series import Series
from dovetail.values import Metric

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["Histories", "latest", "lines", "measured"]

_MANY = 1_000_000
"""Points that are kept at most until they are asked for again."""


class Histories:
    """Reads histories, each file once as long as not too many points are kept."""

    def __init__(self) -> None:
        self._held: dict[Path, Series] = {}
        self._points = 0

    @property
    def full(self) -> bool:
        """Whether no more points are kept."""
        return self._points >= _MANY

    def read(self, path: Path, key: str) -> Series:
        """The points of a file, kept if there is room.

        Raises:
            StoreError: A line is no point.
        """
        if path in self._held:
            return self._held[path]
        series = _series(path, key)
        if self._points + len(series) <= _MANY:
            self._held[path] = series
        self._points += len(series)
        return series

    def take(self, path: Path, key: str) -> Series:
        """As ``read``, for the last time."""
        return self._held.pop(path, None) or _series(path, key)

    def forget(self) -> None:
        """Keep none of them any longer."""
        self._held.clear()
        self._points = 0


def lines(path: Path) -> Iterator[list[str]]:
    """The words of each line."""
    with path.open(encoding="utf-8") as file:
        for line in file:
            if words := line.split():
                yield words


def latest(series: Series) -> tuple[str, float, int, int] | None:
    """Key, value, timestamp and step of the point with the highest step, time and value; NaN is lowest."""
    points = zip(series.steps, series.timestamps, series.values, strict=True)
    last = max(points, key=lambda point: (point[0], point[1], point[2] == point[2], point[2]), default=None)
    return None if last is None else (series.key, last[2], last[1], last[0])


def measured(model_id: str, key: str, words: list[str]) -> Metric:
    """A point of a logged model: also of which run, and with which dataset."""
    timestamp, value, step, run_id, *dataset = words
    # A name may hold spaces, a digest holds none.
    name, digest = (" ".join(dataset[:-1]), dataset[-1]) if dataset else (None, None)
    return Metric.stored(
        key=key,
        value=float(value),
        timestamp=int(timestamp),
        step=int(step),
        model_id=model_id,
        dataset_name=name,
        dataset_digest=digest,
        run_id=run_id,
    )


def _series(path: Path, key: str) -> Series:
    """The points of a file: timestamp, value and step on a line; the oldest releases wrote no step."""
    series = Series(key, array("q"), array("q"), array("d"))
    try:
        for words in lines(path):
            series.timestamps.append(int(words[0]))
            series.values.append(float(words[1]))
            series.steps.append(int(words[2]) if len(words) > 2 else 0)  # noqa: PLR2004 - there is a step
    except OverflowError as error:
        raise StoreError(f"{path} holds a step or time beyond 64 bits.") from error
    except (ValueError, IndexError) as error:
        raise StoreError(f"{path} holds a line that is no point of a metric.") from error
    return _in_order(series)


def _in_order(series: Series) -> Series:
    """Points in the order of histories, in which they mostly are."""
    last: tuple[int, int, bool, float] | None = None
    for place in range(len(series)):
        rank = _rank(series, place)
        if last is not None and rank < last:
            return series.at(sorted(range(len(series)), key=lambda each: _rank(series, each)))
        last = rank
    return series


def _rank(series: Series, place: int) -> tuple[int, int, bool, float]:
    value = series.values[place]
    return series.timestamps[place], series.steps[place], value != value, value  # noqa: PLR0124 - NaN comes last
