"""The points of a run's metrics: read from its files, in order, each once."""

from __future__ import annotations

import base64
import binascii
import json
from array import array
from bisect import bisect_right
from collections import OrderedDict
from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from dovetail.errors import InvalidFilter
from dovetail.tracking.series import Series
from dovetail.values import Page
from dovetail_file.failures import reported
from dovetail_file.names import digest
from dovetail_file.records import BATCH, columns_in, tail
from dovetail_file.state import NAN

if TYPE_CHECKING:
    from pathlib import Path

    from dovetail.values import Metric
    from dovetail_file.entries import Entry
    from dovetail_file.folder import Folder
    from dovetail_file.rewinds import Rewind

__all__ = ["Histories"]

_KEPT = 4
"""Histories that are kept, for whoever reads them page by page."""
Rank: TypeAlias = tuple[int, int, bool, float]
"""Timestamp, step, whether the value is NaN, and the value or 0: what points are ordered and told apart by."""


class _Held(NamedTuple):
    """A history that was read.

    Args:
        extent: Up to which size each file was read.
        series: Its points; others may have them, too, so that they are never changed.
        rewinds: From which steps on points were taken away until then.
    """

    extent: dict[str, int]
    series: Series
    rewinds: list[Rewind]


_NOTHING = _Held({}, Series.of(()), [])


class Histories:
    """The points of runs' metrics.

    Args:
        folder: The store's folder.
    """

    def __init__(self, folder: Folder) -> None:
        self._folder = folder
        self._kept: OrderedDict[tuple[str, str, str], _Held] = OrderedDict()

    def series(self, entry: Entry, key: str) -> Series:
        """All points of a metric."""
        if key not in entry.state.latest:
            return Series.of((), key)
        extent = {name: known for name, (_, known) in entry.logs.items()}
        wanted = entry.place.name, entry.born, key
        rewinds = entry.state.rewinds
        held = self._kept.pop(wanted, _NOTHING)
        if held.rewinds != rewinds or any(known > extent.get(name, 0) for name, known in held.extent.items()):
            held = _NOTHING._replace(rewinds=rewinds)
        if held.extent != extent:
            with reported(self._folder.root):
                held = _Held(extent, _grown(entry.place, held, extent, key), rewinds)
        self._kept[wanted] = held
        while len(self._kept) > _KEPT:
            self._kept.popitem(last=False)
        return held.series

    def page(self, entry: Entry, key: str, max_results: int | None, token: str | None) -> Page[Metric]:
        """The page of a metric's points that a token names.

        Raises:
            InvalidFilter: The token is not one of this history.
        """
        series, search = self.series(entry, key), digest(entry.state.run_id, key)
        length = len(series)
        start = 0 if token is None else bisect_right(range(length), _place(token, search), key=partial(_rank, series))
        end = length if max_results is None else min(length, start + max_results)
        following = _token(_rank(series, end - 1), search) if start < end < length else None
        part = slice(start, end)
        found = Series(key, series.steps[part], series.timestamps[part], series.values[part])
        return Page(found.to_metrics(), following)


def _grown(place: Path, held: _Held, extent: dict[str, int], key: str) -> Series:
    """The points of a metric that stand in files up to these sizes, of which some are known."""
    before = held.series
    timestamps, steps, values = array("q", before.timestamps), array("q", before.steps), array("d", before.values)
    for name, known in extent.items():
        for end, body in tail(place / name, held.extent.get(name, 0)):
            if end > known:
                break
            columns = columns_in(body, key, held.rewinds) if body[0] == BATCH else None
            if columns is not None:
                timestamps += columns[0]
                steps += columns[1]
                values += columns[2]
    return _ordered(key, timestamps, steps, values)


def _ordered(key: str, timestamps: array[int], steps: array[int], values: array[float]) -> Series:
    """The points in the order of histories, each once."""
    if all(one < other for one, other in pairwise(timestamps)):
        return Series(key, steps, timestamps, values)
    ranks = sorted(set(map(_ranked, timestamps, steps, values)))
    ordered = array("d", (NAN if undefined else value for _, _, undefined, value in ranks))
    return Series(key, array("q", (rank[1] for rank in ranks)), array("q", (rank[0] for rank in ranks)), ordered)


def _rank(series: Series, place: int) -> Rank:
    return _ranked(series.timestamps[place], series.steps[place], series.values[place])


def _ranked(timestamp: int, step: int, value: float) -> Rank:
    undefined = value != value  # noqa: PLR0124 - NaN alone is not itself
    return timestamp, step, undefined, 0.0 if undefined else value


def _token(rank: Rank, search: str) -> str:
    timestamp, step, undefined, value = rank
    told = [search, timestamp, step, undefined, value.hex()]
    return base64.urlsafe_b64encode(json.dumps(told).encode()).decode()


def _place(token: str, search: str) -> Rank:
    told: list[Any]
    try:
        of_search, *told = json.loads(base64.b64decode(token, altchars=b"-_", validate=True))
        rank = told[0], told[1], told[2], float.fromhex(told[3])
    except (binascii.Error, ValueError, TypeError, IndexError, OverflowError, RecursionError):
        of_search, rank = None, (0, 0, False, 0.0)
    if of_search != search or [type(part) for part in rank] != [int, int, bool, float]:
        raise InvalidFilter(
            f"{str(token)[:80]!r} is no page token of this history.", hint="Use the token of the page before."
        )
    return rank
