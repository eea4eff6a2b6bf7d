"""Filters as SQL conditions; they mean what ``dovetail.tracking.filters.matches`` says.

A filter is split in two: its *shape*, from which the condition is made once and kept, and the keys and values,
which are passed as parameters ``k0, v0, k1, v1, …`` in the order in which the comparisons stand. The numbers of a
list and the ends of a range are parameters of their own: ``v0_0, v0_1, …``.
"""

from __future__ import annotations

import operator
from itertools import count
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, bindparam, not_, or_, select

from dovetail.tracking.filters import And, Comparison, Filter, Not, Or
from dovetail_sql.functions import FitsPattern, FitsPatternFolded, MayBeNumber, ParamNumber, Within
from dovetail_sql.simplifying import nesting

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from sqlalchemy import ColumnElement

    from dovetail.tracking.filters import OrderKey
    from dovetail_sql.vocabulary import Chosen, Vocabulary

__all__ = ["CHOSEN", "about_leader", "comparisons", "condition", "holds", "parameters", "shape_of"]

CHOSEN = "c"
"""How the names of the parameters begin that say which datasets a search is narrowed to."""

_ORDERINGS: dict[str, Callable[[Any, Any], Any]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def comparisons(tree: Filter) -> Iterator[Comparison]:
    """All comparisons in a filter, in the order in which they stand."""
    match tree:
        case And(terms) | Or(terms):
            for term in terms:
                yield from comparisons(term)
        case Not(term):
            yield from comparisons(term)
        case Comparison():
            yield tree


def shape_of(tree: Filter) -> Filter:
    """The filter without what is passed as parameters."""
    match tree:
        case And(terms):
            return And(tuple(map(shape_of, terms)))
        case Or(terms):
            return Or(tuple(map(shape_of, terms)))
        case Not(term):
            return Not(shape_of(term))
        case Comparison(kind, key, name, value):
            return Comparison(kind, key if kind in ("attribute", "dataset") else "", name, _blank(value))


def parameters(tree: Filter | None) -> dict[str, Any]:
    """The keys and values of a filter as parameters; lists of texts are tuples."""
    found: dict[str, Any] = {}
    for number, each in enumerate(() if tree is None else comparisons(tree)):
        found[f"k{number}"] = each.key
        if _is_numbers(each.value):
            found |= {f"v{number}_{place}": value for place, value in enumerate(_padded(each.value))}
        else:
            found[f"v{number}"] = each.value
    return found


def condition(
    tree: Filter,
    vocabulary: Vocabulary,
    chosen: Chosen = (),
    at_hand: Mapping[int, ColumnElement[Any]] | None = None,
) -> ColumnElement[bool]:
    """The condition a filter is; it is true or false for every row, or NULL where the whole filter is false.

    Args:
        tree: The filter's shape.
        vocabulary: What is searched.
        chosen: The datasets that metrics have to be measured on, if they have to.
        at_hand: Columns that hold what is compared, by the numbers of comparisons that must be met.
    """
    numbers, columns = count(), at_hand or {}

    def sql(tree: Filter) -> ColumnElement[bool]:
        match tree:
            case And(terms):
                return and_(*inner(terms))
            case Or(terms):
                return or_(*inner(terms))
            case Not(term):
                return not_(sql(term))
            case Comparison():
                number = next(numbers)
                if number in columns:
                    return holds(tree, columns[number], number)
                return _comparison(tree, number, vocabulary, chosen)

    def inner(terms: Sequence[Filter]) -> list[ColumnElement[bool]]:
        """The conditions, numbered in the order of the terms, but the most nested first."""
        found = [(nesting(term), sql(term)) for term in terms]
        return [condition for _, condition in sorted(found, key=itemgetter(0), reverse=True)]

    return sql(tree)


def about_leader(tree: Filter | None, order: Sequence[OrderKey]) -> tuple[int, ...]:
    """The numbers of the comparisons that must be met and ask about the metric that the order begins with."""
    if tree is None or not order or order[0].kind != "metric":
        return ()
    found, number = [], 0
    for term in tree.terms if isinstance(tree, And) else (tree,):
        if isinstance(term, Comparison) and _asks_about(term, order[0].key):
            found.append(number)
        number += sum(1 for _ in comparisons(term))
    return tuple(found)


def _asks_about(asked: Comparison, metric: str) -> bool:
    return asked.kind == "metric" and asked.key == metric and asked.operator != "IS NULL"


def holds(asked: Comparison, column: ColumnElement[Any], number: int) -> ColumnElement[bool]:
    """The condition that a value there is, and meets a comparison; NULL counts as false."""
    if asked.operator == "IS NOT NULL":
        return column.is_not(None)
    match asked.operator:
        case "LIKE":
            return FitsPattern(column, bindparam(f"v{number}"))
        case "ILIKE":
            return FitsPatternFolded(column, bindparam(f"v{number}"))
        case "IN" | "NOT IN" if not _is_numbers(asked.value):
            among = Within(column, bindparam(f"v{number}"))
            return among if asked.operator == "IN" else not_(among)
    if asked.kind == "param" and _is_number(asked.value):
        # The first says nothing that the second does not, but costs less.
        return and_(MayBeNumber(column, *_bounds(asked, number)), _relates(asked, ParamNumber(column), number))
    return _relates(asked, column, number)


def _comparison(asked: Comparison, number: int, vocabulary: Vocabulary, chosen: Chosen) -> ColumnElement[bool]:
    if asked.kind == "attribute":
        return _attribute(asked, number, vocabulary)
    held = vocabulary.holding(asked.kind, asked.key)
    mine: Any = held.owner == vocabulary.table.c.id
    there = select(1).select_from(held.rows).where(mine, held.about(f"k{number}"), *held.on(chosen, CHOSEN))
    if asked.operator == "IS NULL":
        return not_(there.exists())
    return there.where(*([] if asked.value is None else [holds(asked, held.value, number)])).exists()


def _attribute(asked: Comparison, number: int, vocabulary: Vocabulary) -> ColumnElement[bool]:
    column, _ = vocabulary.attributes[asked.key]
    if asked.operator == "IS NULL":
        return column.is_(None)
    met = holds(asked, column, number)
    return column.is_not(None) & met if asked.key in vocabulary.optional and asked.value is not None else met


def _relates(asked: Comparison, found: Any, number: int) -> ColumnElement[bool]:
    """The condition that a value stands in the relation to the numbers or the text asked for."""
    values: list[Any] = [bindparam(f"v{number}")]
    if isinstance(asked.value, tuple):
        values = [bindparam(f"v{number}_{place}") for place in range(len(asked.value))]
    met: Any
    match asked.operator:
        case "IN":
            met = found.in_(values)
        case "NOT IN":
            met = found.not_in(values)
        case "BETWEEN":
            met = found.between(*values)
        case "NOT BETWEEN":
            met = or_(found < values[0], found > values[1])
        case name:
            met = _ORDERINGS[name](found, values[0])
    # NaN, which is kept as NULL, differs from every number.
    other = asked.kind == "metric" and asked.operator in ("!=", "NOT IN")
    return or_(found.is_(None), met) if other else met


def _bounds(asked: Comparison, number: int) -> tuple[Any, Any]:
    """What a number lies between that meets a comparison, None where there is no bound."""
    names = [f"v{number}"]
    if isinstance(asked.value, tuple):
        names = [f"v{number}_{place}" for place in range(len(asked.value))]
    low: Any = bindparam(names[0])
    high: Any = bindparam(names[-1])
    match asked.operator:
        case "=" | "BETWEEN":
            return low, high
        case ">" | ">=":
            return low, None
        case "<" | "<=":
            return None, high
    return None, None


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) or _is_numbers(value)


def _is_numbers(value: Any) -> bool:
    return isinstance(value, tuple) and not isinstance(value[0], str)


def _padded(values: Any) -> tuple[Any, ...]:
    """The same numbers in a list of one of a few lengths, so that not each length is a statement of its own."""
    length = 2
    while length < len(values):
        length *= 2
    return (*values, *values[-1:] * (length - len(values)))


def _blank(value: Any) -> Any:
    if value is None:
        return None
    if isinstance(value, tuple):
        return (0.0,) * len(_padded(value)) if _is_numbers(value) else ("",)
    return "" if isinstance(value, str) else 0.0
