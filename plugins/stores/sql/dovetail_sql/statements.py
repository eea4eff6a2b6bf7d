"""Every fixed statement by name, as SQLAlchemy Core constructs.

Engines whose store must start fast run them as text that ``dovetail_sql.compiling`` wrote beforehand.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from sqlalchemy import bindparam, case, delete, func, insert, select, tuple_, update
from sqlalchemy.dialects import sqlite

from dovetail_sql import tables as t
from dovetail_sql.functions import Within

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import ColumnElement, Select, Table
    from sqlalchemy.dialects.sqlite import Insert
    from sqlalchemy.sql.expression import Executable

__all__ = ["MANY", "RUN_COLUMNS", "fixed"]

MANY: dict[str, tuple[str, ...]] = {
    "add_key": ("name",),
    "add_point": ("run", "key", "value", "timestamp", "step"),
    "put_latest": ("run", "key", "value", "timestamp", "step"),
    "add_param": ("run", "key", "value"),
    "put_tag": ("run", "key", "value"),
    "put_experiment_tag": ("experiment", "name", "value"),
}
"""The statements that are executed for many rows, and the order of the values in each row."""

RUN_COLUMNS = (
    t.runs.c.id,
    t.runs.c.run_id,
    t.runs.c.experiment,
    t.runs.c.name,
    t.runs.c.user_id,
    t.runs.c.status,
    t.runs.c.start_time,
    t.runs.c.end_time,
    t.runs.c.artifact_uri,
    t.runs.c.stage,
)

_e, _r, _points, _latest = t.experiments, t.runs, t.metric_points, t.latest_metric


def fixed(upserting: Callable[[Table], Any] = sqlite.insert) -> dict[str, Executable]:
    """All fixed statements.

    Args:
        upserting: The dialect's ``insert`` with ``on_conflict_do_update``; sqlite's or PostgreSQL's.
    """
    put = cast("Callable[[Table], Insert]", upserting)
    return {**_schema(), **_experiments(put), **_runs(), **_logged(put), **_held(), **_history()}


def _schema() -> dict[str, Executable]:
    version = t.schema_version
    return {
        "version": select(version.c.version),
        "add_version": insert(version).values(version=bindparam("version")),
        "set_version": update(version).values(version=bindparam("version")),
    }


def _experiments(put: Callable[[Table], Insert]) -> dict[str, Executable]:
    tags, this = t.experiment_tags, _e.c.id == bindparam("id")
    columns = ("name", "artifact_location", "stage", "creation_time", "last_update_time")
    tag = tags.c.experiment == bindparam("id"), tags.c.name == bindparam("name")
    return {
        "add_experiment": insert(_e).values({name: bindparam(name) for name in columns}),
        "add_default_experiment": insert(_e).values({name: bindparam(name) for name in ("id", *columns)}),
        "experiment": select(_e).where(this),
        "experiment_named": select(_e).where(_e.c.name == bindparam("name")),
        "experiment_tags": select(tags).where(Within(tags.c.experiment, bindparam("ids"))),
        "rename_experiment": update(_e).where(this).values(name=bindparam("new_name"), last_update_time=_now()),
        "touch_experiment": update(_e).where(this).values(last_update_time=_now()),
        "place_experiment": update(_e).where(this).values(artifact_location=bindparam("location")),
        "move_experiment": update(_e).where(this).values(stage=bindparam("to_stage"), last_update_time=_now()),
        "bin_runs": update(_r)
        .where(_r.c.experiment == bindparam("id"), _r.c.stage == "active")
        .values(stage="deleted", binned_with_experiment=1),
        "unbin_runs": update(_r)
        .where(_r.c.experiment == bindparam("id"), _r.c.stage == "deleted", _r.c.binned_with_experiment == 1)
        .values(stage="active", binned_with_experiment=0),
        "put_experiment_tag": _replacing(put(tags), "put_experiment_tag", ("experiment", "name")),
        "delete_experiment_tag": delete(tags).where(*tag),
    }


def _runs() -> dict[str, Executable]:
    this = _r.c.id == bindparam("id")
    columns = ("run_id", "experiment", "name", "user_id", "status", "start_time", "end_time", "artifact_uri", "stage")
    return {
        "add_run": insert(_r).values({**{name: bindparam(name) for name in columns}, "binned_with_experiment": 0}),
        "run": select(*RUN_COLUMNS).where(_r.c.run_id == bindparam("run_id")),
        "update_run": update(_r)
        .where(this)
        .values({name: bindparam(f"new_{name}") for name in ("name", "status", "end_time")}),
        "rename_run": update(_r).where(this).values(name=bindparam("new_name")),
        "move_run": update(_r).where(this).values(stage=bindparam("to_stage"), binned_with_experiment=0),
    }


def _logged(put: Callable[[Table], Insert]) -> dict[str, Executable]:
    writers, tag = t.journal_writers, t.tag
    mark = put(writers).values(writer=bindparam("writer"), sequence=bindparam("sequence"))
    named = select(t.keys.c.id).where(t.keys.c.name == bindparam("name")).scalar_subquery()
    return {
        "add_key": _row(put(t.keys), "add_key").on_conflict_do_nothing(index_elements=["name"]),
        "key_ids": select(t.keys).where(Within(t.keys.c.name, bindparam("names"))),
        "key_names": select(t.keys).where(Within(t.keys.c.id, bindparam("ids"))),
        "add_point": _row(insert(_points), "add_point"),
        "put_latest": _put_latest(put),
        "add_param": _row(put(t.param), "add_param").on_conflict_do_nothing(index_elements=["run", "key"]),
        "put_tag": _replacing(put(tag), "put_tag", ("run", "key")),
        "delete_tag": delete(tag).where(tag.c.run == bindparam("run"), tag.c.key == named),
        # Changes no row where the mark is not above the one that is stored.
        "put_mark": mark.on_conflict_do_update(
            index_elements=["writer"],
            set_={"sequence": mark.excluded.sequence},
            where=mark.excluded.sequence > writers.c.sequence,
        ),
        "mark": select(writers.c.sequence).where(writers.c.writer == bindparam("writer")),
    }


def _held() -> dict[str, Executable]:
    """What runs show; ``runs`` is a list of their numbers."""
    among: Any = bindparam("runs")
    latest = (_latest.c.run, _latest.c.key, _latest.c.value, _latest.c.timestamp, _latest.c.step)
    return {
        "latest_of": select(*latest).where(Within(_latest.c.run, among)),
        "params_of": select(t.param).where(Within(t.param.c.run, among)),
        "tags_of": select(t.tag).where(Within(t.tag.c.run, among)),
    }


def _history() -> dict[str, Executable]:
    value = _points.c.value
    place: list[ColumnElement[Any]] = [_points.c.timestamp, _points.c.step, _nan(value), func.coalesce(value, 0.0)]
    after: list[Any] = [bindparam(f"after_{name}") for name in ("timestamp", "step", "nan", "value")]
    named = select(t.keys.c.id).where(t.keys.c.name == bindparam("name")).scalar_subquery()
    run = select(_r.c.id).where(_r.c.run_id == bindparam("run_id")).scalar_subquery()
    # Grouping makes identical points one point.
    page: Select[Any] = (
        select(_points.c.timestamp, _points.c.step, value)
        .where(_points.c.run == run, _points.c.key == named)
        .group_by(_points.c.timestamp, _points.c.step, value)
        .order_by(_points.c.timestamp, _points.c.step, _nan(value), value)
        .limit(bindparam("limit"))
    )
    return {"history": page, "history_after": page.where(tuple_(*place) > tuple_(*after))}


def _now() -> Any:
    return bindparam("now")


def _nan(value: ColumnElement[Any]) -> ColumnElement[int]:
    return case((value.is_(None), 1), else_=0)


def _row(statement: Any, name: str) -> Any:
    return statement.values({column: bindparam(column) for column in MANY[name]})


def _replacing(statement: Insert, name: str, key: tuple[str, ...]) -> Executable:
    row: Insert = _row(statement, name)
    return row.on_conflict_do_update(index_elements=list(key), set_={"value": row.excluded.value})


def _put_latest(put: Callable[[Table], Insert]) -> Executable:
    """The latest point is the one with the highest (step, timestamp, value), NaN counting as the lowest value."""
    row: Insert = _row(put(_latest), "put_latest")
    new, old = row.excluded, _latest.c

    def lateness(of: Any) -> Any:
        return tuple_(of.step, of.timestamp, case((of.value.is_(None), 0), else_=1), func.coalesce(of.value, 0.0))

    return row.on_conflict_do_update(
        index_elements=["run", "key"],
        set_={"value": new.value, "timestamp": new.timestamp, "step": new.step},
        where=lateness(new) > lateness(old),
    )
