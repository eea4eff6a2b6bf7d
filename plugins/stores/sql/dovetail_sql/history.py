"""Histories of metrics, page by page."""

from __future__ import annotations

from math import nan
from typing import TYPE_CHECKING, Any

from dovetail.values import Metric, Page
from dovetail_sql import tokens

if TYPE_CHECKING:
    from dovetail_sql.database import Row, Transaction

__all__ = ["page"]

_ALL = 2**62
# timestamp, step, whether it is NaN, value
_PLACE = ((int,), (int,), (int,), (float,))


def page(transaction: Transaction, run_id: str, key: str, max_results: int | None, token: str | None) -> Page[Metric]:
    """A page of a metric's points in order of timestamp, step and value.

    Raises:
        InvalidFilter: The token is not one of this history.
    """
    search = ("history", run_id, key)
    most = _ALL if max_results is None else max_results
    asked: dict[str, Any] = {"run_id": run_id, "name": key, "limit": most + 1}
    if token is None:
        rows = transaction.rows("history", asked)
    else:
        rows = transaction.rows("history_after", asked | _after(tokens.read(token, search, _PLACE)))
    more = len(rows) > most
    points = [_point(key, row) for row in rows[:most]]
    return Page(points, tokens.make(search, _place(rows[most - 1])) if more else None)


def _after(place: list[Any]) -> dict[str, Any]:
    return dict(zip(("after_timestamp", "after_step", "after_nan", "after_value"), place, strict=True))


def _point(key: str, row: Row) -> Metric:
    timestamp, step, value = row
    return Metric.stored(key=key, value=nan if value is None else value, timestamp=timestamp, step=step)


def _place(row: Row) -> tuple[int, int, int, float]:
    timestamp, step, value = row
    return timestamp, step, int(value is None), 0.0 if value is None else value
