"""Statements about what is deleted, and about runs that move to another experiment."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import LargeBinary, and_, bindparam, delete, exists, func, or_, select, union_all, update

from dovetail_sql import tables as t
from dovetail_sql.functions import Within
from dovetail_sql.links import NOT_NOTED, NOTED
from dovetail_sql.stages import CONDEMNED

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Table
    from sqlalchemy.sql.expression import Executable

    from dovetail_sql.statements.parts import Put

__all__ = ["MANY", "PARTS", "fixed"]

MANY: dict[str, tuple[str, ...]] = {}

_e, _r, _m = t.experiments, t.runs, t.logged_models

# Rows that one statement deletes at most; those that hold blocks of points are large.
_ROWS, _BLOCKS = 10_000, 200


def _owned(owner: Table, *others: Table) -> list[Table]:
    """The tables whose rows belong to rows of another table, and go with them."""
    found = [each for each in t.metadata.sorted_tables if any(key.column.table is owner for key in each.foreign_keys)]
    return [each for each in reversed(found) if each not in others]


_OWNED = {
    "run": (_r, "run", _owned(_r)),
    "logged_model": (_m, "model", _owned(_m)),
    "experiment": (_e, "experiment", _owned(_e, _r, _m)),
}

PARTS: dict[str, list[tuple[str, int]]] = {
    kind: [
        (f"{each.name}_of_{kind}", _BLOCKS if any(isinstance(c.type, LargeBinary) for c in each.c) else _ROWS)
        for each in owned
    ]
    for kind, (_, _, owned) in _OWNED.items()
}
"""What belongs to a thing of a kind, as statements are called that find (``some_…``) and delete (``purge_…``) it, and
the most rows that are deleted at once."""


def fixed(put: Put) -> dict[str, Executable]:
    """All of them by name."""
    return {**_binned(), **_condemning(), **_purging(), **_moving(put)}


def _binned() -> dict[str, Executable]:
    deleted = func.coalesce(_r.c.deletion_time, 0)
    columns = (_r.c.run_id, _r.c.name, _r.c.experiment, _r.c.artifact_uri, deleted, _r.c.stage)
    due = or_(_r.c.stage == CONDEMNED, and_(_r.c.stage == "deleted", deleted < bindparam("before")))
    models = (_m.c.model_id, _m.c.name, _m.c.experiment, _m.c.artifact_location, _m.c.deletion_time, _m.c.stage)
    return {
        "binned_runs": select(*columns).where(due).order_by(deleted, _r.c.run_id),
        "binned_models": select(*models, _e.c.deletion_time, _e.c.stage)
        .join_from(_m, _e)
        .where(or_(_in_bin(_m), _in_bin(_e))),
        "binned_experiments": select(_e).where(_in_bin(_e)),
    }


def _in_bin(table: Table) -> ColumnElement[bool]:
    return or_(table.c.stage == "deleted", table.c.stage == CONDEMNED)


def _condemning() -> dict[str, Executable]:
    identity: Any = bindparam("id")
    gone = select(_e.c.id).where(_in_bin(_e))
    along = or_(_m.c.stage == "deleted", and_(_m.c.stage == "active", _m.c.experiment.in_(gone)))
    held = {"run": _r.c.run_id, "logged_model": _m.c.model_id, "experiment": _e.c.id}
    due = {"run": _r.c.stage == "deleted", "logged_model": along, "experiment": _e.c.stage == "deleted"}
    return {
        **{f"stage_of_{kind}": _stage(column, identity) for kind, column in held.items()},
        **{
            f"condemn_{kind}": update(column.table).where(column == identity, due[kind]).values(stage=CONDEMNED)
            for kind, column in held.items()
        },
    }


def _stage(column: ColumnElement[Any], identity: Any) -> Executable:
    table: Any = column.table
    return select(table.c.id, table.c.stage).where(column == identity)


def _purging() -> dict[str, Executable]:
    inputs = select(t.run_inputs.c.id).where(t.run_inputs.c.run == bindparam("owner"))
    runs = select(_r.c.id).where(_r.c.experiment == bindparam("owner"))
    models = select(_m.c.id).where(_m.c.experiment == bindparam("owner"))
    return {
        "purge_input_tags": delete(t.input_tags).where(t.input_tags.c.input.in_(inputs)),
        "members_of_experiment": union_all(runs, models).limit(1),
        **{
            name: statement
            for kind, (_, column, owned) in _OWNED.items()
            for each in owned
            for name, statement in _slice(each, column, kind).items()
        },
        **{
            f"purge_{kind}": delete(owner).where(owner.c.id == bindparam("owner"))
            for kind, (owner, *_) in _OWNED.items()
        },
    }


def _slice(table: Table, column: str, kind: str) -> dict[str, Executable]:
    """Find some of the rows that belong to an owner, and delete those: engines differ in how to delete only so many."""
    mine = table.c[column] == bindparam("owner")
    # Of a table with one row an owner, the owner is the place.
    places = [each for each in table.primary_key.columns if each.name != column] or list(table.primary_key.columns)
    among = Within(places[0], bindparam("places"))
    found = among if len(places) == len(table.primary_key.columns) else and_(mine, among)
    return {
        f"some_{table.name}_of_{kind}": select(places[0]).where(mine).limit(bindparam("most")),
        f"purge_{table.name}_of_{kind}": delete(table).where(found),
    }


def _moving(put: Put) -> dict[str, Executable]:
    """A run's datasets are those of its experiment: where it goes, there must be the same ones."""
    known, same = t.datasets.alias("known"), t.datasets.alias("same")
    run: Any = bindparam("run")
    there: Any = bindparam("to_experiment")
    equal = and_(same.c.experiment == there, same.c.name == known.c.name, same.c.digest == known.c.digest)
    inputs = select(t.run_inputs.c.dataset).where(t.run_inputs.c.run == run)
    measured = select(t.model_metric.c.dataset).where(t.model_metric.c.run == run)
    names = ("name", "digest", *NOTED)
    missing = select(there, *(known.c[name] for name in names)).where(
        or_(known.c.id.in_(inputs), known.c.id.in_(measured)), ~exists().where(equal)
    )
    return {
        "move_run": update(_r).where(_r.c.id == run).values(experiment=there, artifact_uri=bindparam("to_uri")),
        # Somebody may be adding the same ones there at this moment.
        "copy_datasets": put(t.datasets)
        .from_select(["experiment", *names], missing)
        .on_conflict_do_nothing(index_elements=["experiment", "name", "digest"]),
        "datasets_to_fill": select(same.c.id, *(known.c[name] for name in NOTED))
        .join_from(known, same, equal)
        .where(known.c.id.in_(inputs), same.c.source_type == NOT_NOTED),
        **{
            f"move_{table.name}": update(table)
            .where(table.c.run == run, table.c.dataset.is_not(None))
            .values(dataset=_counterpart(table, known, same, equal))
            for table in (t.run_inputs, t.model_metric)
        },
    }


def _counterpart(table: Table, known: Any, same: Any, equal: Any) -> Any:
    return select(same.c.id).where(known.c.id == table.c.dataset, equal).correlate(table).scalar_subquery()
