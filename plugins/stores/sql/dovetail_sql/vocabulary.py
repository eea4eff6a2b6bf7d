"""What searches can ask of runs and experiments, as columns and tables."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import Text, bindparam, case, cast, func, select

from dovetail_sql import tables as t
from dovetail_sql.statements import RUN_COLUMNS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sqlalchemy import ColumnElement, FromClause, Table
    from sqlalchemy.sql.selectable import ScalarSelect

__all__ = ["EXPERIMENTS", "RUNS", "Part", "Vocabulary"]

_INT, _TEXT = (int,), (str,)
_NO_INT, _NO_TEXT, _NO_FLOAT = (int, type(None)), (str, type(None)), (float, type(None))


@dataclass(frozen=True)
class Part:
    """One of the things results are sorted by, in turn.

    Args:
        column: What is compared.
        ascending: Smallest first.
        kinds: The types its values have.
    """

    column: ColumnElement[Any]
    ascending: bool
    kinds: tuple[type, ...]


@dataclass(frozen=True)
class Vocabulary:
    """How one searchable entity lies in the tables.

    Args:
        table: Where it lies itself.
        columns: What a search answers with.
        attributes: Its attributes by name, and their types.
        optional: Attributes that may be NULL.
        held: Tables of what it holds, by kind of key.
        owner: The column of those tables that says whose they are.
        named: The condition that a row of such a table is about the key of that parameter.
        ties: What decides last in sorting.
    """

    table: Table
    columns: tuple[ColumnElement[Any], ...]
    attributes: Mapping[str, tuple[ColumnElement[Any], tuple[type, ...]]]
    optional: frozenset[str]
    held: Mapping[str, Table]
    owner: str
    named: Callable[[FromClause, str], ColumnElement[bool]]
    ties: tuple[Part, ...]

    def held_at(self, held: FromClause, key: str) -> ColumnElement[bool]:
        """The condition that a row of a table of held things is this entity's, under the key of a parameter."""
        mine: ColumnElement[bool] = held.c[self.owner] == self.table.c.id
        return mine & self.named(held, key)

    def parts(self, held: FromClause | None, kind: str, key: str, *, ascending: bool) -> tuple[Part, ...]:
        """What one order key sorts by: first whether there is a value, then the value.

        Args:
            held: The table that holds the key, joined for this order key; None for attributes.
            kind: The kind of key.
            key: The attribute; of no account for held keys.
            ascending: Smallest first.
        """
        if held is None:
            column, kinds = self.attributes[key]
            value = Part(column, ascending, kinds)
            return (Part(case((column.is_(None), 1), else_=0), True, _INT), value) if key in self.optional else (value,)
        missing, column = held.c[self.owner].is_(None), held.c.value
        if kind == "metric":
            rank = case((missing, 2), (column.is_(None), 1), else_=0)
            return Part(rank, True, _INT), Part(column, ascending, _NO_FLOAT)
        return Part(case((missing, 1), else_=0), True, _INT), Part(column, ascending, _NO_TEXT)


def _interned(held: FromClause, key: str) -> ColumnElement[bool]:
    number: ScalarSelect[int] = select(t.keys.c.id).where(t.keys.c.name == bindparam(key)).scalar_subquery()
    condition: ColumnElement[bool] = held.c.key == number
    return condition


def _spelled(held: FromClause, key: str) -> ColumnElement[bool]:
    condition: ColumnElement[bool] = held.c.name == bindparam(key)
    return condition


_r, _e = t.runs.c, t.experiments.c
# As ``reading.info_of`` puts it together; ``root`` ends without a slash.
_default_place = bindparam("root", type_=Text()) + "/" + cast(_r.experiment, Text) + "/" + _r.run_id + "/artifacts"

RUNS = Vocabulary(
    table=t.runs,
    columns=RUN_COLUMNS,
    attributes={
        "run_id": (_r.run_id, _TEXT),
        "run_name": (_r.name, _TEXT),
        "user_id": (_r.user_id, _TEXT),
        "status": (_r.status, _TEXT),
        "artifact_uri": (func.coalesce(_r.artifact_uri, _default_place), _TEXT),
        "start_time": (_r.start_time, _INT),
        "end_time": (_r.end_time, _NO_INT),
    },
    optional=frozenset({"end_time"}),
    held={"metric": t.latest_metric, "param": t.param, "tag": t.tag},
    owner="run",
    named=_interned,
    ties=(Part(_r.start_time, False, _INT), Part(_r.run_id, True, _TEXT)),
)

EXPERIMENTS = Vocabulary(
    table=t.experiments,
    columns=tuple(t.experiments.c),
    attributes={
        "name": (_e.name, _TEXT),
        "experiment_id": (cast(_e.id, Text), _TEXT),
        "creation_time": (_e.creation_time, _INT),
        "last_update_time": (_e.last_update_time, _INT),
    },
    optional=frozenset(),
    held={"tag": t.experiment_tags},
    owner="experiment",
    named=_spelled,
    ties=(Part(_e.creation_time, False, _INT), Part(_e.id, False, _INT)),
)
