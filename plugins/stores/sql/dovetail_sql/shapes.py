"""The statements of searches: equal shapes are one statement, made once and kept."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, bindparam, case, func, literal_column, null, or_, select

from dovetail_sql.conditions import CHOSEN, comparisons, condition, holds
from dovetail_sql.entities import ENTITIES
from dovetail_sql.functions import Within
from dovetail_sql.vocabulary import Part

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import ColumnElement, FromClause, Select

    from dovetail.tracking.filters import Filter, OrderKey
    from dovetail_sql.vocabulary import Chosen, Held, Vocabulary

__all__ = ["MISSING", "UNDEFINED", "VALUED", "Shape", "count", "edge", "page", "parts", "scope", "size", "stretch"]

VALUED, UNDEFINED, MISSING = 0, 1, 2
"""The sections of an order by something held: what has a value, what has NaN, what has nothing."""

_INT = (int,)
_NO_TEXT, _NO_FLOAT = (str, type(None)), (float, type(None))


@dataclass(frozen=True)
class Shape:
    """A search without its parameters.

    Args:
        entity: What is searched, a key of ``ENTITIES``.
        tree: The filter's shape.
        order: What to sort by, held keys left out.
        stages: How many lifecycle stages are looked at.
        within: How many experiments are looked into, as ``one`` or ``many``; empty for all.
        chosen: What metrics have to be measured on, if anything.
        leading: The comparisons, by number, that ask about what the order begins with and must be met.
        after: Which parts of the place a page begins behind have a value; None for the first page.
        section: The section that is looked at of the order's first key; None for all.
        among: Whether only what is in the list ``among`` is looked at.
        bounded: Whether only what comes before ``edge`` by the order's first key is looked at.
    """

    entity: str
    tree: Filter | None
    order: tuple[OrderKey, ...] = ()
    stages: int = 0
    within: str = ""
    chosen: Chosen = ()
    leading: tuple[int, ...] = ()
    after: tuple[bool, ...] | None = None
    section: int | None = None
    among: bool = False
    bounded: bool = False

    @property
    def vocabulary(self) -> Vocabulary:
        """How what is searched lies in the tables."""
        return ENTITIES[self.entity]

    @property
    def sections(self) -> tuple[int, ...]:
        """The sections of the order's first key; none where it has no index to be walked along."""
        held = self._leader()
        if held is None or held.several or held.texts:
            return ()
        return (VALUED, UNDEFINED) if self.leading else (VALUED, UNDEFINED, MISSING)

    @property
    def walked(self) -> bool:
        """Whether an index gives the order, so that a search can begin with what comes first."""
        vocabulary = self.vocabulary
        if self.order and self.order[0].kind != "attribute":
            return bool(self.sections)
        first = self.order[0].key if self.order else vocabulary.listed
        return self.within == "one" and self.stages == 1 and first is not None and first == vocabulary.listed

    def _leader(self) -> Held | None:
        return self.vocabulary.held.get(self.order[0].kind) if self.order else None


@lru_cache(maxsize=512)
def parts(shape: Shape) -> tuple[Part, ...]:
    """What results are sorted by, and tokens hold the values of."""
    keyed = (_key_parts(shape, key, number) for number, key in enumerate(shape.order))
    return (*(part for several in keyed for part in several), *shape.vocabulary.ties)


@lru_cache(maxsize=512)
def page(shape: Shape) -> Select[Any]:
    """The rows of a page, and behind them what they are sorted by."""
    sorted_by = parts(replace(shape, after=None))
    shown = (part.column.label(f"s{number}") for number, part in enumerate(sorted_by))
    query = select(*shape.vocabulary.columns, *shown).select_from(_sources(shape)).where(*_conditions(shape))
    if shape.bounded:
        query = query.where(_before_edge(_leading(sorted_by)))
    if shape.after is not None:
        query = query.where(*_behind(sorted_by, shape.after))
    order = [part.column.asc() if part.ascending else part.column.desc() for part in sorted_by if not part.settled]
    return query.order_by(*order).limit(bindparam("limit"))


@lru_cache(maxsize=128)
def count(shape: Shape) -> Select[Any]:
    """How many there are."""
    return select(func.count()).select_from(shape.vocabulary.table).where(*_conditions(shape))


@lru_cache(maxsize=64)
def size(shape: Shape) -> Select[Any]:
    """How many there are to look at, counted up to ``most``."""
    table = shape.vocabulary.table
    looked_at = select(table.c.id).where(*scope(shape)).limit(bindparam("most"))
    return select(func.count()).select_from(looked_at.subquery())


@lru_cache(maxsize=128)
def edge(shape: Shape) -> Select[Any]:
    """What comes ``skipped`` rows behind the beginning, by the order's first key alone."""
    first = _leading(parts(replace(shape, after=None)))
    order = first.column.asc() if first.ascending else first.column.desc()
    return _ahead(shape, first.column).order_by(order).offset(bindparam("skipped")).limit(literal_column("1"))


@lru_cache(maxsize=128)
def stretch(shape: Shape) -> Select[Any]:
    """The numbers of what comes before the edge."""
    first = _leading(parts(replace(shape, after=None)))
    number = _joined(shape, 0).owner if shape.sections else shape.vocabulary.table.c.id
    return _ahead(shape, number).where(_before_edge(first))


def _ahead(shape: Shape, column: ColumnElement[Any]) -> Select[Any]:
    """A column of what lies ahead, as the index has it that gives the order."""
    query = select(column)
    if shape.sections:
        held = _joined(shape, 0)
        query = query.select_from(held.rows).where(held.about("o0"), held.value.is_not(None), *_met_by_leader(shape))
    else:
        query = query.select_from(shape.vocabulary.table).where(*scope(shape))
    if shape.after is None:
        return query
    return query.where(_not_before(_leading(parts(replace(shape, after=None)))))


# --- what statements are made of -----------------------------------------------------------------------------


def _key_parts(shape: Shape, key: OrderKey, number: int) -> tuple[Part, ...]:
    """What one order key sorts by: first whether there is a value, then the value."""
    vocabulary = shape.vocabulary
    if key.kind == "attribute":
        column, kinds = vocabulary.attributes[key.key]
        value = Part(column, key.ascending, kinds)
        missing = Part(case((column.is_(None), 1), else_=0), True, _INT)
        return (missing, value) if key.key in vocabulary.optional else (value,)
    if vocabulary.held[key.kind].several:
        return _latest_parts(vocabulary, key, number)
    held, kinds = _joined(shape, number), _NO_FLOAT if key.kind == "metric" else _NO_TEXT
    if number == 0 and shape.section is not None:
        rank = Part(literal_column(str(shape.section)), True, _INT, settled=True)
        there = shape.section == VALUED
        return rank, Part(held.value if there else null(), key.ascending, kinds, settled=not there)
    return Part(_rank(held), True, _INT), Part(held.value, key.ascending, kinds)


def _rank(held: Held) -> ColumnElement[int]:
    missing: Any = (held.owner.is_(None), MISSING)
    return case(missing, else_=VALUED) if held.texts else case(missing, (held.value.is_(None), UNDEFINED), else_=VALUED)


def _latest_parts(vocabulary: Vocabulary, key: OrderKey, number: int) -> tuple[Part, ...]:
    """The same for what has many points under one key: the latest one counts."""
    held = vocabulary.held[key.kind].alias(number)
    chosen = () if key.dataset is None else ((key.dataset.name is not None, key.dataset.digest is not None),)
    mine: Any = held.owner == vocabulary.table.c.id
    there = (mine, held.about(f"o{number}"), *held.on(chosen, f"o{number}"))
    columns = held.rows.c
    undefined = case((held.value.is_(None), 1), else_=0)
    latest = (columns.timestamp.desc(), columns.step.desc(), undefined, held.value.desc())
    rank = select(undefined).where(*there).order_by(*latest).limit(1).scalar_subquery()
    value = select(held.value).where(*there).order_by(*latest).limit(1).scalar_subquery()
    return Part(func.coalesce(rank, MISSING), True, _INT), Part(value, key.ascending, _NO_FLOAT)


def _joined(shape: Shape, number: int) -> Held:
    """What holds an order key, under a name of its own."""
    return _alias(shape.entity, shape.order[number].kind, number)


@lru_cache(maxsize=256)
def _alias(entity: str, kind: str, number: int) -> Held:
    # One object a name: two aliases of one name would be two tables to SQLAlchemy.
    return ENTITIES[entity].held[kind].alias(number)


def _sources(shape: Shape) -> FromClause:
    vocabulary = shape.vocabulary
    source: FromClause = vocabulary.table
    for number, key in enumerate(shape.order):
        if key.kind == "attribute" or vocabulary.held[key.kind].several:
            continue
        held, first = _joined(shape, number), number == 0 and shape.section is not None
        mine: Any = held.owner == vocabulary.table.c.id
        if not (first and shape.section == MISSING):
            source = source.join(held.rows, and_(mine, held.about(f"o{number}")), isouter=not first)
    return source


def _conditions(shape: Shape) -> list[ColumnElement[bool]]:
    conditions = [*scope(shape), *_in_section(shape)]
    if shape.among:
        conditions.append(Within(shape.vocabulary.table.c.id, bindparam("among")))
    if shape.chosen:
        conditions.append(_measured(shape))
    if shape.tree is not None:
        conditions.append(condition(shape.tree, shape.vocabulary, shape.chosen, _at_hand(shape)))
    return conditions


def _at_hand(shape: Shape) -> dict[int, ColumnElement[Any]]:
    """What the order's first key holds, where that is joined and comparisons ask about it."""
    return dict.fromkeys(shape.leading, _joined(shape, 0).value) if shape.section in (VALUED, UNDEFINED) else {}


def _met_by_leader(shape: Shape) -> list[ColumnElement[bool]]:
    """The comparisons that ask about the order's first key."""
    asked = list(comparisons(shape.tree)) if shape.tree is not None else []
    return [holds(asked[number], column, number) for number, column in _at_hand(shape).items()]


def scope(shape: Shape) -> list[ColumnElement[bool]]:
    """The conditions that a row is where the search looks."""
    vocabulary = shape.vocabulary
    scope: list[Any] = []
    if vocabulary.stage is not None:
        stages: Any = bindparam("stages")
        scope.append(vocabulary.stage == stages if shape.stages == 1 else Within(vocabulary.stage, stages))
    if shape.within:
        experiments: Any = bindparam("experiments")
        # An expression instead of the column keeps planners from walking what lies in the experiments after all.
        elsewhere = shape.among or shape.section in (VALUED, UNDEFINED)
        column: Any = vocabulary.experiment
        column = column + literal_column("0") if elsewhere else column
        scope.append(column == experiments if shape.within == "one" else Within(column, experiments))
    return scope


def _in_section(shape: Shape) -> list[ColumnElement[bool]]:
    if shape.section is None:
        return []
    held = _joined(shape, 0)
    if shape.section != MISSING:
        return [held.value.is_not(None) if shape.section == VALUED else held.value.is_(None)]
    mine: Any = held.owner == shape.vocabulary.table.c.id
    return [~select(1).select_from(held.rows).where(mine, held.about("o0")).exists()]


def _measured(shape: Shape) -> ColumnElement[bool]:
    """The condition that there is a point on one of the datasets chosen."""
    held = shape.vocabulary.held["metric"]
    mine: Any = held.owner == shape.vocabulary.table.c.id
    return select(1).select_from(held.rows).where(mine, *held.on(shape.chosen, CHOSEN)).exists()


def _leading(sorted_by: Sequence[Part]) -> Part:
    return next(part for part in sorted_by if not part.settled)


def _before_edge(first: Part) -> ColumnElement[bool]:
    end: Any = bindparam("edge")
    condition: ColumnElement[bool] = first.column <= end if first.ascending else first.column >= end
    return condition


def _not_before(first: Part) -> ColumnElement[bool]:
    begin: Any = bindparam("begin")
    condition: ColumnElement[bool] = first.column >= begin if first.ascending else first.column <= begin
    return condition


def _behind(sorted_by: Sequence[Part], valued: Sequence[bool]) -> list[ColumnElement[bool]]:
    """The condition that a row comes behind the place ``p0, p1, …``.

    A part of the place without a value is NULL in all rows that equal the place so far: its rank says so.
    """
    numbers = [number for number, has in enumerate(valued) if has and not sorted_by[number].settled]
    behind: ColumnElement[bool] | None = None
    for number in reversed(numbers):
        column = sorted_by[number].column
        place: Any = bindparam(f"p{number}")
        later: Any = column > place if sorted_by[number].ascending else column < place
        behind = later if behind is None else or_(later, and_(column == place, behind))
    if behind is None:
        return []
    # Says nothing new, but an index in this order begins at the place because of it.
    first = sorted_by[numbers[0]]
    begin: Any = bindparam(f"p{numbers[0]}")
    return [first.column >= begin if first.ascending else first.column <= begin, behind]
