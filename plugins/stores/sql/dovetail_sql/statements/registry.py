"""Statements about the model registry."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, delete, func, insert, or_, select, union_all, update

from dovetail.values.registry import STAGES
from dovetail_sql import tables as t
from dovetail_sql.functions import Within
from dovetail_sql.statements.parts import now, replacing, row

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Select
    from sqlalchemy.sql.expression import Executable

    from dovetail_sql.statements.parts import Put

__all__ = ["MANY", "MODEL_COLUMNS", "VERSION_COLUMNS", "fixed"]

_MOVE = ("model", "name", "kind", "what", "before", "after", "timestamp", "user_id", "reason")

MANY: dict[str, tuple[str, ...]] = {
    "put_registered_model_tag": ("model", "name", "value"),
    "put_model_version_tag": ("version", "name", "value"),
    "add_moves": _MOVE,
}

_m, _v, _a, _h = t.registered_models, t.model_versions, t.registry_aliases, t.registry_moves
MODEL_COLUMNS = tuple(_m.c)
VERSION_COLUMNS = tuple(_v.c)
_of_model: ColumnElement[bool] = _v.c.model == bindparam("model")
_this_version: ColumnElement[bool] = _v.c.version == bindparam("version")


def fixed(put: Put) -> dict[str, Executable]:
    """All of them by name."""
    return {**_models(put), **_versions(put), **_stages(), **_aliases(put), **_moves(), **_endings(put)}


def _models(put: Put) -> dict[str, Executable]:
    tags, this = t.registered_model_tags, _m.c.id == bindparam("id")
    columns = ("name", "description", "creation_time", "last_update_time", "last_version")
    tag = tags.c.model == bindparam("model"), tags.c.name == bindparam("name")
    return {
        "add_registered_model": insert(_m).values({name: bindparam(name) for name in columns}),
        "registered_model": select(*MODEL_COLUMNS).where(_m.c.name == bindparam("name")),
        "update_registered_model": update(_m)
        .where(this)
        .values(name=bindparam("new_name"), description=bindparam("description"), last_update_time=now()),
        "touch_registered_model": update(_m).where(this).values(last_update_time=now()),
        "registered_model_tags": select(tags).where(Within(tags.c.model, bindparam("ids"))),
        "put_registered_model_tag": replacing(put(tags), MANY["put_registered_model_tag"], ("model", "name")),
        "delete_registered_model_tag": delete(tags).where(*tag),
    }


def _versions(put: Put) -> dict[str, Executable]:
    tags, this = t.model_version_tags, _v.c.id == bindparam("id")
    columns = [column.name for column in VERSION_COLUMNS if column.name not in ("id", "status_message")]
    tag = tags.c.version == bindparam("version"), tags.c.name == bindparam("name")
    return {
        "count_version": update(_m)
        .where(_m.c.id == bindparam("id"))
        .values(last_version=bindparam("last_version"), last_update_time=now()),
        "add_model_version": insert(_v).values({name: bindparam(name) for name in columns}),
        "model_version": select(*VERSION_COLUMNS).where(_of_model, _this_version),
        "rename_model_versions": update(_v).where(_of_model).values(name=bindparam("new_name")),
        "describe_model_version": update(_v)
        .where(this)
        .values(description=bindparam("description"), last_update_time=now()),
        "touch_model_version": update(_v).where(this).values(last_update_time=now()),
        "model_version_tags": select(tags).where(Within(tags.c.version, bindparam("ids"))),
        "put_model_version_tag": replacing(put(tags), MANY["put_model_version_tag"], ("version", "name")),
        "delete_model_version_tag": delete(tags).where(*tag),
    }


def _stages() -> dict[str, Executable]:
    staged = _of_model, _v.c.stage == bindparam("stage"), _v.c.version != bindparam("version")
    return {
        "latest_versions": union_all(*map(_latest, STAGES)),
        "stage_model_version": update(_v)
        .where(_v.c.id == bindparam("id"))
        .values(stage=bindparam("to_stage"), last_update_time=now()),
        "others_in_stage": select(_v.c.version).where(*staged).order_by(_v.c.version),
        "stage_others": update(_v).where(*staged).values(stage=bindparam("to_stage"), last_update_time=now()),
    }


def _latest(stage: str) -> Select[Any]:
    """The version of the highest number in a stage, of each of some models: a row for each of its tags, at least one.

    Of a model and stage it reads one entry of an index, and not all versions.
    """
    tags, inner = t.model_version_tags, t.model_versions.alias("inner")
    latest = (
        select(inner.c.id)
        .where(inner.c.model == _m.c.id, inner.c.stage == stage)
        .order_by(inner.c.version.desc())
        .limit(1)
        .correlate(_m)
        .scalar_subquery()
    )
    found = _m.join(_v, _v.c.id == latest).outerjoin(tags, tags.c.version == _v.c.id)
    among: Any = bindparam("ids")
    columns = (*VERSION_COLUMNS, tags.c.name.label("tag"), tags.c.value)
    return select(*columns).select_from(found).where(Within(_m.c.id, among))


def _aliases(put: Put) -> dict[str, Executable]:
    this = _a.c.model == bindparam("model"), _a.c.alias == bindparam("alias")
    new = put(_a).values({name: bindparam(name) for name in ("model", "alias", "version")})
    either: Any = or_(_v.c.version == bindparam("before"), _v.c.version == bindparam("after"))
    return {
        "registry_alias": select(_a.c.version).where(*this),
        "registry_aliases": select(_a.c.model, _a.c.alias, _a.c.version)
        .where(Within(_a.c.model, bindparam("ids")))
        .order_by(_a.c.model, _a.c.alias),
        "put_registry_alias": new.on_conflict_do_update(
            index_elements=["model", "alias"], set_={"version": new.excluded.version}
        ),
        "delete_registry_alias": delete(_a).where(*this),
        "touch_aliased": update(_v).where(_of_model, either).values(last_update_time=now()),
    }


def _moves() -> dict[str, Executable]:
    columns = [_h.c[name] for name in ("id", *_MOVE[1:])]
    page = select(*columns).where(_h.c.model == bindparam("model"), _h.c.id < bindparam("before"))
    latest = _h.c.id.desc()
    return {
        "add_move": insert(_h).values({name: bindparam(name) for name in _MOVE}),
        "add_moves": row(insert(_h), _MOVE),
        "moves": page.order_by(latest).limit(bindparam("limit")),
        "moves_of": page.where(_h.c.what == bindparam("what")).order_by(latest).limit(bindparam("limit")),
    }


def _endings(put: Put) -> dict[str, Executable]:
    """What deleting takes; what refers to others goes before them."""
    gone, model_tags, version_tags = t.deleted_models, t.registered_model_tags, t.model_version_tags
    mine = select(_v.c.id).where(_of_model)
    buried = put(gone).values(name=bindparam("name"), model=bindparam("model"))
    return {
        "drop_model_version_tags": delete(version_tags).where(version_tags.c.version == bindparam("id")),
        "drop_model_version": delete(_v).where(_v.c.id == bindparam("id")),
        "drop_all_version_tags": delete(version_tags).where(version_tags.c.version.in_(mine)),
        "drop_all_versions": delete(_v).where(_of_model),
        "drop_all_aliases": delete(_a).where(_a.c.model == bindparam("model")),
        "drop_all_model_tags": delete(model_tags).where(model_tags.c.model == bindparam("model")),
        "drop_registered_model": delete(_m).where(_m.c.id == bindparam("id")),
        "bury_name": buried.on_conflict_do_update(index_elements=["name"], set_={"model": buried.excluded.model}),
        "unbury_name": delete(gone).where(gone.c.name == bindparam("name")),
        # The model of that name, or else the last one that was.
        "history_of": select(func.coalesce(_named(_m.c.id, _m), _named(gone.c.model, gone))),
    }


def _named(wanted: Any, table: Any) -> Any:
    return select(wanted).where(table.c.name == bindparam("name")).scalar_subquery()
