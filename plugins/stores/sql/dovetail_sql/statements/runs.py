"""Statements about runs and what they show."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, case, delete, func, insert, literal_column, null, select, tuple_, union_all, update

from dovetail_sql import tables as t
from dovetail_sql.functions import Within
from dovetail_sql.statements.parts import row

if TYPE_CHECKING:
    from sqlalchemy.dialects.sqlite import Insert
    from sqlalchemy.sql.expression import Executable

    from dovetail_sql.statements.parts import Put

__all__ = ["MANY", "RUN_COLUMNS", "fixed"]

MANY: dict[str, tuple[str, ...]] = {
    "put_latest": ("run", "key", "value", "timestamp", "step"),
    "add_param": ("run", "key", "value"),
    "put_tag": ("run", "key", "value", "set_at"),
    "put_late_tag": ("run", "key", "value", "set_at"),
}

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
    t.runs.c.linked,
)

_r, _latest = t.runs, t.latest_metric


def fixed(put: Put) -> dict[str, Executable]:
    """All of them by name."""
    return {**_runs(), **_logged(put), **_held()}


def _runs() -> dict[str, Executable]:
    this = _r.c.id == bindparam("id")
    columns = ("run_id", "experiment", "name", "user_id", "status", "start_time", "end_time", "artifact_uri", "stage")
    return {
        "add_run": insert(_r).values(
            {**{name: bindparam(name) for name in columns}, "binned_with_experiment": 0, "linked": 0}
        ),
        "run": select(*RUN_COLUMNS).where(_r.c.run_id == bindparam("run_id")),
        # In one order for all who lock several.
        "runs_named": select(*RUN_COLUMNS).where(Within(_r.c.run_id, bindparam("run_ids"))).order_by(_r.c.run_id),
        "update_run": update(_r)
        .where(this)
        .values({name: bindparam(f"new_{name}") for name in ("status", "end_time")}),
        "rename_run": update(_r).where(this).values(name=bindparam("new_name")),
        "bin_run": update(_r)
        .where(this)
        .values(stage=bindparam("to_stage"), binned_with_experiment=0, deletion_time=bindparam("deletion_time")),
    }


def _logged(put: Put) -> dict[str, Executable]:
    tag = t.tag
    named = select(t.keys.c.id).where(t.keys.c.name == bindparam("name")).scalar_subquery()
    return {
        "put_latest": _put_latest(put),
        "add_param": row(put(t.param), MANY["add_param"]).on_conflict_do_nothing(index_elements=["run", "key"]),
        "put_tag": _put_tag(put),
        "put_late_tag": _put_tag(put, late=True),
        "delete_tag": delete(tag).where(tag.c.run == bindparam("run"), tag.c.key == named),
    }


def _held() -> dict[str, Executable]:
    """What runs show; ``runs`` is a list of their numbers."""
    among: Any = bindparam("runs")
    latest = (_latest.c.run, _latest.c.key, _latest.c.value, _latest.c.timestamp, _latest.c.step)
    return {
        "latest_of": select(*latest).where(Within(_latest.c.run, among)),
        "params_of": select(t.param).where(Within(t.param.c.run, among)),
        "tags_of": select(t.tag.c.run, t.tag.c.key, t.tag.c.value).where(Within(t.tag.c.run, among)),
        "held_by": _held_by(bindparam("run")),
    }


def _held_by(run: Any) -> Executable:
    """The same of one run: whether it is a metric, a param or a tag, its key, its value as number or text, and when."""
    none: Any = null()
    latest = select(literal_column("0"), _latest.c.key, _latest.c.value, none, _latest.c.timestamp, _latest.c.step)
    params = select(literal_column("1"), t.param.c.key, none, t.param.c.value, none, none)
    tags = select(literal_column("2"), t.tag.c.key, none, t.tag.c.value, none, none)
    owned = [each.where(table.c.run == run) for each, table in ((latest, _latest), (params, t.param), (tags, t.tag))]
    return union_all(*owned)


def _put_tag(put: Put, *, late: bool = False) -> Executable:
    """Set a tag; one that was set in the past takes no newer one's place."""
    new: Insert = row(put(t.tag), MANY["put_tag"])
    set_ = {"value": new.excluded.value, "set_at": new.excluded.set_at}
    newer = new.excluded.set_at >= t.tag.c.set_at
    return new.on_conflict_do_update(index_elements=["run", "key"], set_=set_, where=newer if late else None)


def _put_latest(put: Put) -> Executable:
    """The latest point is the one with the highest (step, timestamp, value), NaN counting as the lowest value."""
    point: Insert = row(put(_latest), MANY["put_latest"])
    new, old = point.excluded, _latest.c

    def lateness(of: Any) -> Any:
        return tuple_(of.step, of.timestamp, case((of.value.is_(None), 0), else_=1), func.coalesce(of.value, 0.0))

    return point.on_conflict_do_update(
        index_elements=["run", "key"],
        set_={"value": new.value, "timestamp": new.timestamp, "step": new.step},
        where=lateness(new) > lateness(old),
    )
