"""Points of histories on their way into a store: what it lacks of them, in portions of some thousands."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dovetail.tracking.series import Series
from dovetail.values import Batch
from dovetail.values.measure import MetricColumns

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["batches", "lacking"]

_PORTION = 20_000
"""Points that are written in one go."""


def lacking(series: Series, known: Series | None) -> Series:
    """The points of a history that another one of the same metric has not."""
    if known is None or not len(known):
        return series
    # Most often the other one is how this one began: only behind that single points are looked for.
    common = _common(series, known)
    rest, other = _from(series, common), _from(known, common)
    if not len(rest) or not len(other):
        return rest
    there = set(_points(other))
    return rest.at([place for place, point in enumerate(_points(rest)) if point not in there])


def batches(histories: Iterable[Series]) -> Iterator[Batch]:
    """Histories as batches: those with few points go together, those with many are cut."""
    waiting: list[MetricColumns] = []
    room = _PORTION
    for series in histories:
        for columns in _cut(series, room):
            waiting.append(columns)
            room -= len(columns.values)
            if not room:
                yield _batch(waiting)
                waiting, room = [], _PORTION
    if waiting:
        yield _batch(waiting)


def _cut(series: Series, first: int) -> Iterator[MetricColumns]:
    """The points in portions; the first one has as much room as is left."""
    start, size = 0, first
    while start < len(series):
        part = slice(start, start + size)
        yield MetricColumns(
            series.key, series.timestamps[part].tolist(), series.steps[part].tolist(), series.values[part].tolist()
        )
        start, size = start + size, _PORTION


def _batch(columns: list[MetricColumns]) -> Batch:
    return Batch.stored(metrics=(), params=(), tags=(), columns=tuple(columns))


def _common(one: Series, other: Series) -> int:
    """How many points both begin with, in portions."""
    length, start = min(len(one), len(other)), 0
    while start < length:
        part = slice(start, min(start + _PORTION, length))
        if _bytes(one, part) != _bytes(other, part):
            break
        start = part.stop
    return start


def _bytes(series: Series, part: slice) -> tuple[Any, ...]:
    return series.timestamps[part].tobytes(), series.steps[part].tobytes(), series.values[part].tobytes()


def _from(series: Series, start: int) -> Series:
    return Series(series.key, series.steps[start:], series.timestamps[start:], series.values[start:])


def _points(series: Series) -> Iterator[tuple[int, int, float | None]]:
    values = series.values.tolist()
    # NaN is not equal to itself.
    same = [None if value != value else value for value in values]  # noqa: PLR0124
    return zip(series.timestamps.tolist(), series.steps.tolist(), same, strict=True)
