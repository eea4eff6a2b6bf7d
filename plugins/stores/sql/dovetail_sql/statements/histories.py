"""Statements about the points of metrics: the tail, and blocks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, bindparam, delete, func, insert, select, tuple_

from dovetail_sql import tables as t
from dovetail_sql.functions import Within
from dovetail_sql.stages import CONDEMNED
from dovetail_sql.statements.parts import nan, row

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Select
    from sqlalchemy.sql.expression import Executable

    from dovetail_sql.statements.parts import Put

__all__ = ["MANY", "fixed"]

MANY: dict[str, tuple[str, ...]] = {
    "add_point": ("run", "key", "value", "timestamp", "step"),
    "add_block": (
        "run",
        "key",
        "points",
        "first_timestamp",
        "last_timestamp",
        "min_step",
        "max_step",
        "head",
        "payload",
    ),
}

_r, _points, _blocks = t.runs, t.metric_points, t.metric_blocks


def fixed(put: Put) -> dict[str, Executable]:
    """All of them by name."""
    del put
    return {
        "add_point": row(insert(_points), MANY["add_point"]),
        "add_block": row(insert(_blocks), MANY["add_block"]),
        **_sealing(),
        **_rewinding(),
        **_history(),
        **_series(),
    }


def _sealing() -> dict[str, Executable]:
    """About one run, by its number."""
    run: Any = bindparam("run")
    among: Any = bindparam("keys")
    ids: Any = bindparam("ids")
    tail = (_points.c.run == run, Within(_points.c.key, among))
    return {
        "tail_lengths": select(_points.c.key, func.count()).where(_points.c.run == run).group_by(_points.c.key),
        "long_tail": select(_points.c.run).where(_points.c.run == run).limit(1).offset(bindparam("most")),
        "tail_rows": select(_points.c.id, _points.c.key, _points.c.timestamp, _points.c.step, _points.c.value)
        .where(*tail)
        .order_by(_points.c.id)
        .limit(bindparam("limit")),
        "drop_tail": delete(_points).where(*tail, _points.c.id <= bindparam("last")),
        "small_blocks": select(_blocks.c.key, _blocks.c.id, _blocks.c.points).where(
            _blocks.c.run == run, _blocks.c.points < bindparam("size")
        ),
        "keys_of_blocks": select(_blocks.c.key).where(_blocks.c.run == run).distinct(),
        "drop_blocks": delete(_blocks).where(Within(_blocks.c.id, ids)),
        "payloads": select(_blocks.c.id, _blocks.c.payload).where(Within(_blocks.c.id, ids)),
    }


def _rewinding() -> dict[str, Executable]:
    """About the points of one run, by its number, from a step on; those of the machine's metrics stay."""
    run: Any = bindparam("run")
    step: Any = bindparam("from_step")
    those = select(t.keys.c.id).where(func.substr(t.keys.c.name, 1, 7) != "system/")
    latest = t.latest_metric
    keys: Any = bindparam("keys")
    among = Within(_blocks.c.key, keys)
    peaks = (
        select(_points.c.key, func.max(_points.c.step).label("step"))
        .where(_points.c.run == run, Within(_points.c.key, keys))
        .group_by(_points.c.key)
        .subquery("peaks")
    )
    return {
        "drop_points": delete(_points).where(_points.c.run == run, _points.c.step >= step, _points.c.key.in_(those)),
        "drop_blocks_from": delete(_blocks).where(
            _blocks.c.run == run, _blocks.c.min_step >= step, _blocks.c.key.in_(those)
        ),
        "blocks_across": select(_blocks.c.id, _blocks.c.key).where(
            _blocks.c.run == run, _blocks.c.max_step >= step, _blocks.c.key.in_(those)
        ),
        "latest_behind": select(latest.c.key).where(
            latest.c.run == run, latest.c.step >= step, latest.c.key.in_(those)
        ),
        "tail_peaks": select(_points.c.key, _points.c.timestamp, _points.c.step, _points.c.value)
        .join(peaks, and_(peaks.c.key == _points.c.key, peaks.c.step == _points.c.step))
        .where(_points.c.run == run),
        "block_peaks": select(_blocks.c.key, _blocks.c.id, _blocks.c.max_step, _blocks.c.last_timestamp)
        .where(_blocks.c.run == run, among)
        .order_by(_blocks.c.max_step.desc(), _blocks.c.last_timestamp.desc()),
        "drop_latest": delete(latest).where(latest.c.run == run, latest.c.step >= step, latest.c.key.in_(those)),
    }


def _named() -> Any:
    return select(t.keys.c.id).where(t.keys.c.name == bindparam("name")).scalar_subquery()


def _history() -> dict[str, Executable]:
    """About one metric of one run, page by page."""
    value = _points.c.value
    place: list[ColumnElement[Any]] = [_points.c.timestamp, _points.c.step, nan(value), func.coalesce(value, 0.0)]
    after: list[Any] = [bindparam(f"after_{name}") for name in ("timestamp", "step", "nan")]
    after.append(bindparam("after_value", type_=value.type))  # engines differ in how they keep numbers
    run = select(_r.c.id).where(_r.c.run_id == bindparam("run_id"), _r.c.stage != CONDEMNED).scalar_subquery()
    # Grouping makes identical points one point.
    page: Select[Any] = (
        select(_points.c.timestamp, _points.c.step, value)
        .where(_points.c.run == run, _points.c.key == _named())
        .group_by(_points.c.timestamp, _points.c.step, value)
        .order_by(_points.c.timestamp, _points.c.step, nan(value), value)
        .limit(bindparam("limit"))
    )
    first, number = _blocks.c.first_timestamp, _blocks.c.id
    behind: list[Any] = [bindparam("behind_timestamp"), bindparam("behind_id")]
    return {
        "history": page,
        "history_after": page.where(tuple_(*place) > tuple_(*after)),
        "blocks_from": select(first, number, _blocks.c.head)
        .where(
            _blocks.c.run == run,
            _blocks.c.key == _named(),
            _blocks.c.last_timestamp >= bindparam("since"),
            tuple_(first, number) > tuple_(*behind),
        )
        .order_by(first, number)
        .limit(bindparam("limit")),
    }


def _series() -> dict[str, Executable]:
    """About one metric of many runs."""
    among: Any = bindparam("run_ids")
    start: Any = bindparam("start")
    end: Any = bindparam("end")
    these = (Within(_r.c.run_id, among), _r.c.stage != CONDEMNED)
    return {
        "series_tail": select(_r.c.run_id, _points.c.timestamp, _points.c.step, _points.c.value).where(
            *these,
            _points.c.run == _r.c.id,
            _points.c.key == _named(),
            _points.c.step.between(start, end),
        ),
        "series_blocks": select(
            _r.c.run_id, _blocks.c.id, _blocks.c.points, _blocks.c.min_step, _blocks.c.max_step, _blocks.c.head
        )
        .where(
            *these,
            _blocks.c.run == _r.c.id,
            _blocks.c.key == _named(),
            _blocks.c.max_step >= start,
            _blocks.c.min_step <= end,
        )
        .order_by(_r.c.run_id, _blocks.c.first_timestamp, _blocks.c.id),
    }
