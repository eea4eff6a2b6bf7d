"""Statements about logged models."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, delete, insert, select, update

from dovetail_sql import tables as t
from dovetail_sql.functions import Within
from dovetail_sql.statements.parts import replacing, row

if TYPE_CHECKING:
    from sqlalchemy.sql.expression import Executable

    from dovetail_sql.statements.parts import Put

__all__ = ["LOGGED_MODEL_COLUMNS", "MANY", "fixed"]

MANY: dict[str, tuple[str, ...]] = {
    "add_model_param": ("model", "key", "value"),
    "put_model_tag": ("model", "key", "value"),
    "add_model_point": ("model", "key", "run", "dataset", "value", "timestamp", "step"),
}

_e, _m, _points = t.experiments, t.logged_models, t.model_metric

LOGGED_MODEL_COLUMNS = (
    _m.c.id,
    _m.c.model_id,
    _m.c.experiment,
    _m.c.name,
    _m.c.model_type,
    _m.c.source_run_id,
    _m.c.status,
    _m.c.status_message,
    _m.c.artifact_location,
    _m.c.creation_time,
    _m.c.last_update_time,
    _m.c.stage,
)


def fixed(put: Put) -> dict[str, Executable]:
    """All of them by name."""
    return {**_models(), **_logged(put), **_held()}


def _models() -> dict[str, Executable]:
    this = _m.c.id == bindparam("id")
    changed, binned = ("status", "status_message", "last_update_time"), ("stage", "deletion_time", "last_update_time")
    active: Any = _m.c.stage == "active"
    return {
        "add_logged_model": insert(_m).values(
            {column.name: bindparam(column.name) for column in LOGGED_MODEL_COLUMNS[1:]}
        ),
        "logged_model": select(*LOGGED_MODEL_COLUMNS).where(_m.c.model_id == bindparam("model_id")),
        "logged_model_ids": select(_m.c.id, _m.c.model_id).where(Within(_m.c.model_id, bindparam("ids")), active),
        "active_experiments": select(_e.c.id).where(Within(_e.c.id, bindparam("ids")), _e.c.stage == "active"),
        "update_logged_model": update(_m).where(this).values(_new(changed)),
        "bin_logged_model": update(_m).where(this).values(_new(binned)),
    }


def _new(columns: tuple[str, ...]) -> dict[str, Any]:
    return {name: bindparam(f"new_{name}") for name in columns}


def _logged(put: Put) -> dict[str, Executable]:
    param, tag = t.model_param, t.model_tag
    named = select(t.keys.c.id).where(t.keys.c.name == bindparam("name")).scalar_subquery()
    added = row(put(param), MANY["add_model_param"])
    return {
        "add_model_param": added.on_conflict_do_nothing(index_elements=["model", "key"]),
        "put_model_tag": replacing(put(tag), MANY["put_model_tag"], ("model", "key")),
        "delete_model_tag": delete(tag).where(tag.c.model == bindparam("model"), tag.c.key == named),
        "add_model_point": row(insert(_points), MANY["add_model_point"]),
    }


def _held() -> dict[str, Executable]:
    """What models hold; ``models`` is a list of their numbers."""
    among: Any = bindparam("models")
    point = (_points.c.model, _points.c.key, _points.c.value, _points.c.timestamp, _points.c.step)
    return {
        "model_params_of": select(t.model_param).where(Within(t.model_param.c.model, among)),
        "model_tags_of": select(t.model_tag).where(Within(t.model_tag.c.model, among)),
        # Identical points are one point; they are told apart when they are read.
        "model_points_of": select(*point, t.datasets.c.name, t.datasets.c.digest, t.runs.c.run_id)
        .join(t.runs, t.runs.c.id == _points.c.run)
        .outerjoin(t.datasets, t.datasets.c.id == _points.c.dataset)
        .where(Within(_points.c.model, among))
        .distinct(),
    }
