"""Histories of one metric as columns, of many runs at once, whole or thinned out."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from dovetail.tracking.series import thinned
from dovetail_sql.blocks import PART, head_of, ordered, place, points_of, sketched
from dovetail_sql.joining import Block, series_of, start_of, together

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from dovetail.tracking.series import Series
    from dovetail_sql.blocks import Point
    from dovetail_sql.database import Transaction

__all__ = ["Wanted", "all_series"]

_FIRST, _LAST = -(2**63), 2**63 - 1
_AT_ONCE = 4_000_000
"""How many points are held packed, beside what was made of them."""


class Wanted(NamedTuple):
    """Which points.

    Args:
        run_ids: Of which runs.
        key: Of which metric.
        start: The first step; None for all.
        end: The last step; None for all.
        most: The most points of a series; None for all.
        method: How series are thinned out.
    """

    run_ids: Sequence[str]
    key: str
    start: int | None = None
    end: int | None = None
    most: int | None = None
    method: str = "minmax"


@dataclass
class _History:
    """What the database holds of one run's metric, within the interval of steps.

    Args:
        tail: Points that were read.
        blocks: Blocks of which all points are within the interval.
    """

    tail: list[Point] = field(default_factory=list)
    blocks: list[Block] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.tail) + sum(block.points for block in self.blocks)


def all_series(transaction: Transaction, wanted: Wanted) -> dict[str, Series]:
    """The series that there are, by run id, in the order of ``wanted.run_ids``."""
    histories = _histories(transaction, wanted)
    found = {run_id: _sketch(history, wanted) for run_id, history in histories.items()}
    whole = {run_id: history for run_id, history in histories.items() if found[run_id] is None}
    for part in _parts(whole):
        payloads = _payloads(transaction, [block.id for history in part.values() for block in history.blocks])
        for run_id, history in part.items():
            series = together(wanted.key, history.blocks, history.tail, payloads)
            found[run_id] = thinned(series, wanted.most, wanted.method)
    return {run_id: series for run_id, series in found.items() if series is not None}


def _histories(transaction: Transaction, wanted: Wanted) -> dict[str, _History]:
    start = _FIRST if wanted.start is None else wanted.start
    end = _LAST if wanted.end is None else wanted.end
    asked = {"run_ids": transaction.listed(list(wanted.run_ids)), "name": wanted.key, "start": start, "end": end}
    found: defaultdict[str, _History] = defaultdict(_History)
    for run_id, *point in transaction.rows("series_tail", asked):
        found[run_id].tail.append(tuple(point))
    cut: dict[int, str] = {}
    for run_id, number, points, lowest, highest, head in transaction.rows("series_blocks", asked):
        if start <= lowest and highest <= end:
            found[run_id].blocks.append(Block(number, points, head_of(head)))
        else:
            cut[number] = run_id
    for number, payload in _payloads(transaction, list(cut)).items():
        found[cut[number]].tail += [point for point in points_of(payload) if start <= point[1] <= end]
    return {run_id: _in_order(found[run_id]) for run_id in dict.fromkeys(wanted.run_ids) if len(found[run_id])}


def _in_order(history: _History) -> _History:
    return _History(ordered(history.tail), sorted(history.blocks, key=start_of))


def _payloads(transaction: Transaction, ids: list[int]) -> dict[int, bytes]:
    rows: list[Any] = list(transaction.rows("payloads", {"ids": transaction.listed(ids)})) if ids else []
    return dict(rows)


def _parts(histories: dict[str, _History]) -> Iterator[dict[str, _History]]:
    """Histories, as many together as are read at once."""
    part: dict[str, _History] = {}
    for run_id, history in histories.items():
        if part and sum(map(len, part.values())) + len(history) > _AT_ONCE:
            yield part
            part = {}
        part[run_id] = history
    if part:
        yield part


# --- thinning out by heads -----------------------------------------------------------------------------------


def _sketch(history: _History, wanted: Wanted) -> Series | None:
    """The series thinned out by what heads say alone; None if they do not say enough."""
    most = wanted.most
    if most is None or len(history) <= most or wanted.method != "minmax":
        return None
    extremes = [*_of_blocks(history.blocks), *_of_tail(history.tail)]
    # The first and the last point, and two of each of as many parts as there is room for.
    count = (most - 2) // 2
    if len(extremes) < count:
        return None
    ends = [*(block.head.first for block in history.blocks), *history.tail[:1]]
    ends += [*(block.head.last for block in history.blocks), *history.tail[-1:]]
    kept = [min(ends, key=place), max(ends, key=place)]
    for part in _shared(sorted(extremes, key=_moment), count):
        kept += [min((each.low for each in part), key=_as_low), max((each.high for each in part), key=_as_high)]
    return series_of(wanted.key, ordered(kept))


class _Extremes(NamedTuple):
    """The points with the lowest and the highest value of some neighbouring ones."""

    low: Point
    high: Point
    points: int


def _moment(extremes: _Extremes) -> Any:
    return min(place(extremes.low), place(extremes.high))


def _as_low(point: Point) -> tuple[bool, float]:
    """For the lowest number; NaN only if there is none."""
    return point[2] is None, point[2] or 0.0


def _as_high(point: Point) -> tuple[bool, float]:
    """For the highest number; NaN only if there is none."""
    return point[2] is not None, point[2] or 0.0


def _of_blocks(blocks: Sequence[Block]) -> Iterator[_Extremes]:
    for block in blocks:
        for number, (low, high) in enumerate(block.head.parts):
            yield _Extremes(low, high, min(PART, block.points - number * PART))


def _of_tail(tail: Sequence[Point]) -> Iterator[_Extremes]:
    if tail:
        series = series_of("", tail)
        head = sketched(series.timestamps.tolist(), series.steps.tolist(), series.values.tolist())
        for number, (low, high) in enumerate(head.parts):
            yield _Extremes(low, high, min(PART, len(tail) - number * PART))


def _shared(extremes: Sequence[_Extremes], count: int) -> Iterator[list[_Extremes]]:
    """Extremes in at most so many parts, of about as many points each."""
    total, done = sum(each.points for each in extremes), 0
    parts: defaultdict[int, list[_Extremes]] = defaultdict(list)
    for each in extremes:
        parts[done * count // total].append(each)
        done += each.points
    return iter(parts.values())
