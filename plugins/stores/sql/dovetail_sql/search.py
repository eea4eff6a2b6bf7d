"""Searching runs and experiments: from filter and order to one statement a page.

Pages are cut by key: a page's token holds what its last row is sorted by, and the next statement asks for what
comes behind. So the last page costs no more than the first.

Planners walk runs in the order asked for and test each one, which is right when many meet the filter and slow
when few do. So the comparisons that an index answers are counted first, up to a bound, and where one of them is met
by few runs, these are where the search starts.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, bindparam, func, literal_column, or_, select

from dovetail.tracking.filters import Comparison, Filter, OrderKey, parse_filter, parse_order
from dovetail_sql import tokens
from dovetail_sql.conditions import condition, indexed, owners, parameters, shape_of
from dovetail_sql.functions import Within
from dovetail_sql.vocabulary import EXPERIMENTS, RUNS, Part, Vocabulary

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import ColumnElement, FromClause, Select, Table

    from dovetail.values import ViewType
    from dovetail_sql.database import Row, Transaction

__all__ = ["Search", "experiment_search", "run_search"]

_FEW = 2000
"""Fewer runs than this are looked at one by one rather than found on a walk through all."""
_MOST_COUNTED = 8
_ENTITIES = {"runs": RUNS, "experiments": EXPERIMENTS}


@dataclass(frozen=True)
class Shape:
    """A search without its parameters: equal shapes are one statement.

    Args:
        entity: ``runs`` or ``experiments``.
        tree: The filter's shape.
        order: What to sort by, held keys left out.
        stages: How many lifecycle stages are looked at.
        within: How many experiments are looked into, as ``one`` or ``many``; empty for all.
        after: Which parts of the place a page begins behind have a value; None for the first page.
        start: The number of the comparison whose matches are looked at, if not all runs are.
    """

    entity: str
    tree: Filter | None
    order: tuple[OrderKey, ...]
    stages: int
    within: str = ""
    after: tuple[bool, ...] | None = None
    start: int | None = None


@dataclass(frozen=True)
class Search:
    """A search and all it is asked with.

    Args:
        shape: The statement it is, for the first page.
        asked: Parameters of the statement; tuples are lists.
        question: What tells this search from others, for its page tokens.
    """

    shape: Shape
    asked: dict[str, Any]
    question: tuple[Any, ...]

    def page(self, transaction: Transaction, most: int, token: str | None) -> tuple[list[Row], str | None]:
        """The rows of a page, and the token of the page behind it.

        Raises:
            InvalidFilter: The token is not one of this search.
        """
        shape, asked = self.shape, self.asked | {"limit": most + 1}
        parts = _parts(shape)
        if token is not None:
            place = tokens.read(token, self.question, [part.kinds for part in parts])
            shape = replace(shape, after=tuple(part is not None for part in place))
            asked |= {f"p{number}": value for number, value in enumerate(place)}
        passed = {name: transaction.listed(v) if isinstance(v, tuple) else v for name, v in asked.items()}
        shape = replace(shape, start=_best_start(transaction, shape, passed))
        rows = transaction.rows(_statement(shape), passed)
        width = len(_ENTITIES[shape.entity].columns)
        behind = tokens.make(self.question, rows[most - 1][width:]) if 0 < most < len(rows) else None
        return [row[:width] for row in rows[:most]], behind


def experiment_search(text: str | None, order_by: Sequence[str], view: ViewType) -> Search:
    """A search of experiments.

    Raises:
        InvalidFilter: The filter or order cannot be parsed.
    """
    tree, order = parse_filter(text, "experiments"), parse_order(order_by, "experiments")
    return _search("experiments", tree, order, view, {})


def run_search(experiments: set[int], text: str | None, order_by: Sequence[str], view: ViewType, root: str) -> Search:
    """A search of the runs of some experiments.

    Args:
        experiments: Their numbers.
        text: The filter.
        order_by: The order.
        view: Whether to look into the bin.
        root: The artifact root of runs that have stored none.

    Raises:
        InvalidFilter: The filter or order cannot be parsed.
    """
    tree, order = parse_filter(text), parse_order(order_by)
    numbers = tuple(sorted(experiments))
    within: Any = numbers[0] if len(numbers) == 1 else numbers
    return _search("runs", tree, order, view, {"experiments": within, "root": root.rstrip("/")})


def _search(
    entity: str, tree: Filter | None, order: tuple[OrderKey, ...], view: ViewType, more: dict[str, Any]
) -> Search:
    stages, within = view.stages, more.get("experiments")
    shape = Shape(
        entity=entity,
        tree=None if tree is None else shape_of(tree),
        order=tuple(replace(key, key="") if key.kind != "attribute" else key for key in order),
        stages=len(stages),
        within="" if within is None else "many" if isinstance(within, tuple) else "one",
    )
    asked = {**more, **parameters(tree), **{f"o{number}": key.key for number, key in enumerate(order)}}
    asked["stages"] = stages if len(stages) > 1 else stages[0]
    return Search(shape, asked, (entity, within, str(tree), list(map(str, order)), view.value))


def _best_start(transaction: Transaction, shape: Shape, passed: dict[str, Any]) -> int | None:
    """The comparison that the fewest runs meet, if they are few."""
    fewest, best = _FEW, None
    for number, asked in _starts(shape.entity, shape.tree)[:_MOST_COUNTED]:
        (count,) = transaction.rows(_count(shape.entity, asked, number), {**passed, "few": fewest})[0]
        if count < fewest:
            fewest, best = count, number
    return best


@lru_cache(maxsize=256)
def _starts(entity: str, tree: Filter | None) -> tuple[tuple[int, Comparison], ...]:
    return tuple(indexed(tree)) if tree is not None and entity == "runs" else ()


@lru_cache(maxsize=256)
def _count(entity: str, asked: Comparison, number: int) -> Select[Any]:
    met = owners(asked, number, _ENTITIES[entity]).limit(bindparam("few"))
    return select(func.count()).select_from(met.subquery())


@lru_cache(maxsize=256)
def _parts(shape: Shape) -> tuple[Part, ...]:
    vocabulary = _ENTITIES[shape.entity]
    keyed = (
        vocabulary.parts(_joined(vocabulary, key, number), key.kind, key.key, ascending=key.ascending)
        for number, key in enumerate(shape.order)
    )
    return (*(part for parts in keyed for part in parts), *vocabulary.ties)


@lru_cache(maxsize=256)
def _statement(shape: Shape) -> Select[Any]:
    vocabulary, parts = _ENTITIES[shape.entity], _parts(replace(shape, after=None))
    query = select(*vocabulary.columns, *(part.column.label(f"s{number}") for number, part in enumerate(parts)))
    query = query.select_from(_sources(vocabulary, shape)).where(*_scope(vocabulary, shape))
    if shape.tree is not None:
        query = query.where(condition(shape.tree, vocabulary))
    if shape.after is not None:
        query = query.where(*_behind(parts, shape.after))
    return query.order_by(*(part.column.asc() if part.ascending else part.column.desc() for part in parts)).limit(
        bindparam("limit")
    )


def _joined(vocabulary: Vocabulary, key: OrderKey, number: int) -> FromClause | None:
    """The table that holds an order key, under a name of its own."""
    return None if key.kind == "attribute" else _alias(vocabulary.held[key.kind], number)


@lru_cache(maxsize=256)
def _alias(table: Table, number: int) -> FromClause:
    # One object a name: two aliases of one name would be two tables to SQLAlchemy.
    return table.alias(f"by{number}")


def _sources(vocabulary: Vocabulary, shape: Shape) -> FromClause:
    source: FromClause = vocabulary.table
    for number, key in enumerate(shape.order):
        if (held := _joined(vocabulary, key, number)) is not None:
            source = source.outerjoin(held, vocabulary.held_at(held, f"o{number}"))
    return source


def _scope(vocabulary: Vocabulary, shape: Shape) -> list[ColumnElement[bool]]:
    table = vocabulary.table
    stages: Any = bindparam("stages")
    scope: list[Any] = [table.c.stage == stages if shape.stages == 1 else Within(table.c.stage, stages)]
    if shape.within:
        experiments: Any = bindparam("experiments")
        # An expression instead of the column keeps planners from walking the runs of the experiments after all.
        column = table.c.experiment if shape.start is None else table.c.experiment + literal_column("0")
        scope.append(column == experiments if shape.within == "one" else Within(column, experiments))
    for number, asked in _starts(shape.entity, shape.tree):
        if number == shape.start:
            scope.append(table.c.id.in_(owners(asked, number, vocabulary)))
    return scope


def _behind(parts: Sequence[Part], valued: Sequence[bool]) -> list[ColumnElement[bool]]:
    """The condition that a row comes behind the place ``p0, p1, …``.

    A part of the place without a value is NULL in all rows that equal the place so far: its rank says so.
    """
    behind: ColumnElement[bool] | None = None
    for number in reversed([number for number, has in enumerate(valued) if has]):
        column = parts[number].column
        place: Any = bindparam(f"p{number}")
        later: Any = column > place if parts[number].ascending else column < place
        behind = later if behind is None else or_(later, and_(column == place, behind))
    if behind is None:
        return []
    # Says nothing new, but an index in this order begins at the place because of it.
    first: Any = parts[0].column >= bindparam("p0") if parts[0].ascending else parts[0].column <= bindparam("p0")
    return [behind] if not valued[0] else [first, behind]
