"""Statements about experiments, and about the schema."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import bindparam, delete, insert, null, select, update

from dovetail_sql import tables as t
from dovetail_sql.functions import Within
from dovetail_sql.statements.parts import now, replacing, row

if TYPE_CHECKING:
    from sqlalchemy.sql.expression import Executable

    from dovetail_sql.statements.parts import Put

__all__ = ["MANY", "fixed"]

MANY: dict[str, tuple[str, ...]] = {
    "add_key": ("name",),
    "put_experiment_tag": ("experiment", "name", "value"),
    "add_mark": ("writer", "sequence"),
    "set_mark": ("writer", "sequence"),
}

_e, _r = t.experiments, t.runs


def fixed(put: Put) -> dict[str, Executable]:
    """All of them by name."""
    return {**_schema(), **_keys(put), **_journals(put), **_experiments(put)}


def _schema() -> dict[str, Executable]:
    version = t.schema_version
    return {
        "version": select(version.c.version),
        "add_version": insert(version).values(version=bindparam("version")),
        "set_version": update(version).values(version=bindparam("version")),
    }


def _experiments(put: Put) -> dict[str, Executable]:
    tags, this = t.experiment_tags, _e.c.id == bindparam("id")
    columns = ("name", "artifact_location", "stage", "creation_time", "last_update_time")
    tag = tags.c.experiment == bindparam("id"), tags.c.name == bindparam("name")
    return {
        "add_experiment": insert(_e).values({name: bindparam(name) for name in columns}),
        "add_default_experiment": insert(_e).values({name: bindparam(name) for name in ("id", *columns)}),
        "experiment": select(_e).where(this),
        "experiment_kept": select(_e).where(this),  # to add something to it; see ``locking``
        "experiment_named": select(_e).where(_e.c.name == bindparam("name")),
        "experiment_tags": select(tags).where(Within(tags.c.experiment, bindparam("ids"))),
        "rename_experiment": update(_e).where(this).values(name=bindparam("new_name"), last_update_time=now()),
        "touch_experiment": update(_e).where(this).values(last_update_time=now()),
        "place_experiment": update(_e).where(this).values(artifact_location=bindparam("location")),
        "move_experiment": update(_e)
        .where(this)
        .values(stage=bindparam("to_stage"), last_update_time=now(), deletion_time=bindparam("deletion_time")),
        "bin_runs": update(_r)
        .where(_r.c.experiment == bindparam("id"), _r.c.stage == "active")
        .values(stage="deleted", binned_with_experiment=1, deletion_time=now()),
        "unbin_runs": update(_r)
        .where(_r.c.experiment == bindparam("id"), _r.c.stage == "deleted", _r.c.binned_with_experiment == 1)
        .values(stage="active", binned_with_experiment=0, deletion_time=null()),
        "put_experiment_tag": replacing(put(tags), MANY["put_experiment_tag"], ("experiment", "name")),
        "delete_experiment_tag": delete(tags).where(*tag),
    }


def _keys(put: Put) -> dict[str, Executable]:
    keys = t.keys
    return {
        "add_key": row(put(keys), MANY["add_key"]).on_conflict_do_nothing(index_elements=["name"]),
        "key_ids": select(keys).where(Within(keys.c.name, bindparam("names"))),
        "key_names": select(keys).where(Within(keys.c.id, bindparam("ids"))),
    }


def _journals(put: Put) -> dict[str, Executable]:
    writers = t.journal_writers
    mark = put(writers).values(writer=bindparam("writer"), sequence=bindparam("sequence"))
    among = Within(writers.c.writer, bindparam("writers"))
    new = row(put(writers), MANY["set_mark"])
    return {
        # Changes no row where the mark is not above the one that is stored.
        "put_mark": mark.on_conflict_do_update(
            index_elements=["writer"],
            set_={"sequence": mark.excluded.sequence},
            where=mark.excluded.sequence > writers.c.sequence,
        ),
        "mark": select(writers.c.sequence).where(writers.c.writer == bindparam("writer")),
        # In one order for all who lock several.
        "marks": select(writers.c.writer, writers.c.sequence).where(among).order_by(writers.c.writer),
        "add_mark": row(put(writers), MANY["add_mark"]).on_conflict_do_nothing(index_elements=["writer"]),
        "set_mark": new.on_conflict_do_update(index_elements=["writer"], set_={"sequence": new.excluded.sequence}),
        "drop_marks": delete(writers).where(among),
    }
