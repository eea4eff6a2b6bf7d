"""Histories of metrics, page by page: points of blocks and of the tail in one order, each once."""

from __future__ import annotations

from bisect import bisect_right
from itertools import groupby
from math import nan
from operator import itemgetter
from typing import TYPE_CHECKING, Any, NamedTuple

from dovetail.values import Metric, Page
from dovetail_sql import tokens
from dovetail_sql.blocks import head_of, ordered, place, points_of
from dovetail_sql.joining import Block, end_of, groups, start_of
from dovetail_sql.series import Wanted, all_series

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from dovetail_sql.blocks import Point
    from dovetail_sql.database import Row, Transaction

__all__ = ["page"]

# timestamp, step, whether it is NaN, value
_PLACE = ((int,), (int,), (int,), (float,))
_START = -(2**63)
_ANY = 2**62
"""More points than there are, and a number that every engine knows."""
_HEADS = 64
"""How many heads of blocks are read at once."""


class _Asked(NamedTuple):
    """A metric of a run, and what of its history is wanted.

    Args:
        transaction: Where to read.
        run_id: The run.
        name: The metric.
        after: The place behind which the page begins; None for the first one.
        limit: How many points are wanted.
    """

    transaction: Transaction
    run_id: str
    name: str
    after: Sequence[Any] | None
    limit: int

    def rows(self, statement: str, **params: Any) -> list[Any]:
        """What a statement answers about this metric."""
        return self.transaction.rows(
            statement, {"run_id": self.run_id, "name": self.name, "limit": self.limit, **params}
        )


def page(transaction: Transaction, run_id: str, key: str, max_results: int | None, token: str | None) -> Page[Metric]:
    """A page of a metric's points in order of timestamp, step and value.

    Raises:
        InvalidFilter: The token is not one of this history.
    """
    search = ("history", run_id, key)
    after = None if token is None else tokens.read(token, search, _PLACE)
    if max_results is None and after is None:
        found = all_series(transaction, Wanted([run_id], key))
        return Page(found[run_id].to_metrics() if run_id in found else [])
    most = _ANY if max_results is None else min(max_results, _ANY)
    points = _behind(_Asked(transaction, run_id, key, after, most + 1))
    token = tokens.make(search, place(points[most - 1])) if len(points) > most else None
    return Page([_metric(key, point) for point in points[:most]], token)


def _behind(asked: _Asked) -> list[Point]:
    """The points behind a place; some more than were asked for, or all there are."""
    tail, found = _tail(asked), []
    for group in groups(_blocks(asked)):
        end = bisect_right(tail, end_of(group), key=place)
        found += _merged(asked, group, tail[:end])
        tail = tail[end:]
        if len(found) >= asked.limit:
            return found
    return found + tail


def _tail(asked: _Asked) -> list[Point]:
    if asked.after is None:
        rows = asked.rows("history")
    else:
        names = ("after_timestamp", "after_step", "after_nan", "after_value")
        rows = asked.rows("history_after", **dict(zip(names, asked.after, strict=True)))
    return [tuple(row) for row in rows]


def _merged(asked: _Asked, group: Sequence[Block], tail: Sequence[Point]) -> list[Point]:
    """The points of a group of blocks and of the tail up to its end that are behind the place."""
    payloads = asked.rows("payloads", ids=asked.transaction.listed([block.id for block in group]))
    points = [point for _, payload in payloads for point in points_of(payload)]
    if len(group) > 1 or tail:
        points = ordered([*points, *tail])
    if asked.after is None or start_of(group[0]) > tuple(asked.after):
        return points
    return points[bisect_right(points, tuple(asked.after), key=place) :]


def _blocks(asked: _Asked) -> Iterator[Block]:
    """The blocks that end behind the place, sorted by where they begin."""
    for _, rows in groupby(_heads(asked), key=itemgetter(0)):
        # The database has sorted them by their first timestamps alone.
        blocks = sorted((Block(number, 0, head_of(data)) for _, number, data in rows), key=start_of)
        yield from (block for block in blocks if asked.after is None or end_of([block]) > tuple(asked.after))


def _heads(asked: _Asked) -> Iterator[Row]:
    """First timestamps, numbers and heads of the blocks that do not end before the place."""
    since = _START if asked.after is None else asked.after[0]
    behind, full = (_START, 0), True
    while full:
        rows = asked.rows("blocks_from", since=since, behind_timestamp=behind[0], behind_id=behind[1], limit=_HEADS)
        yield from rows
        full = len(rows) == _HEADS
        behind = rows[-1][:2] if full else behind


def _metric(key: str, point: Point) -> Metric:
    timestamp, step, value = point
    return Metric.stored(key=key, value=nan if value is None else value, timestamp=timestamp, step=step)
