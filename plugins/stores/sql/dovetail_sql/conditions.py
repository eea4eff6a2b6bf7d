"""Filters as SQL conditions; they mean what ``dovetail.tracking.filters.matches`` says.

A filter is split in two: its *shape*, from which the condition is made once and kept, and the keys and values,
which are passed as parameters ``k0, v0, k1, v1, …`` in the order in which the comparisons stand.
"""

from __future__ import annotations

import operator
from itertools import count
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, bindparam, false, func, literal_column, not_, or_, select

from dovetail.tracking.filters import And, Comparison, Filter, Not, Or
from dovetail_sql.functions import FitsPattern, FitsPatternFolded, ParamNumber, Within
from dovetail_sql.tables import INDEXED

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sqlalchemy import ColumnElement, Select

    from dovetail_sql.vocabulary import Vocabulary

__all__ = ["comparisons", "condition", "indexed", "owners", "parameters", "shape_of"]

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
            return Comparison(kind, key if kind == "attribute" else "", name, _blank(value))


def parameters(tree: Filter | None) -> dict[str, Any]:
    """The keys and values of a filter as parameters; lists are tuples."""
    found: dict[str, Any] = {}
    for number, each in enumerate(() if tree is None else comparisons(tree)):
        found[f"k{number}"], found[f"v{number}"] = each.key, each.value
    return found


def condition(tree: Filter, vocabulary: Vocabulary) -> ColumnElement[bool]:
    """The condition a filter is; it is true or false for every row, never NULL."""
    numbers = count()

    def sql(tree: Filter) -> ColumnElement[bool]:
        match tree:
            case And(terms):
                return and_(*map(sql, terms))
            case Or(terms):
                return or_(*map(sql, terms))
            case Not(term):
                return not_(sql(term))
            case Comparison():
                return _comparison(tree, next(numbers), vocabulary)

    return sql(tree)


def indexed(tree: Filter) -> Iterator[tuple[int, Comparison]]:
    """The comparisons that everything found must meet and that an index answers, with their numbers."""
    number = 0
    for term in tree.terms if isinstance(tree, And) else (tree,):
        if isinstance(term, Comparison) and _has_index(term):
            yield number, term
        number += sum(1 for _ in comparisons(term))


def _has_index(asked: Comparison) -> bool:
    if asked.kind == "metric":
        return asked.operator != "!="
    return asked.kind in ("param", "tag") and asked.operator == "=" and isinstance(asked.value, str)


def owners(asked: Comparison, number: int, vocabulary: Vocabulary) -> Select[Any]:
    """The numbers of all that meet a comparison, as its index has them: of long texts, those that begin alike."""
    held = vocabulary.held[asked.kind]
    # With the whole text compared as well, sqlite would put the parameter for the column and miss the index.
    alike = _beginning(held.c.value) == _beginning(bindparam(f"v{number}"))
    met = _holds(asked, held.c.value, number) if asked.kind == "metric" else alike
    return select(held.c[vocabulary.owner]).where(vocabulary.named(held, f"k{number}"), met)


def _beginning(text: Any) -> ColumnElement[str]:
    # Spelled as in the index, or the index is not used.
    return func.substr(text, literal_column("1"), literal_column(str(INDEXED)))


def _blank(value: Any) -> Any:
    return None if value is None else ("",) if isinstance(value, tuple) else "" if isinstance(value, str) else 0.0


def _comparison(asked: Comparison, number: int, vocabulary: Vocabulary) -> ColumnElement[bool]:
    if asked.kind == "dataset":
        return false()  # the store keeps no datasets yet, so no run has used any
    if asked.kind == "attribute":
        column, _ = vocabulary.attributes[asked.key]
        holds = _holds(asked, column, number)
        return column.is_not(None) & holds if asked.key in vocabulary.optional else holds
    held = vocabulary.held[asked.kind]
    there = select(1).select_from(held).where(vocabulary.held_at(held, f"k{number}"))
    if asked.operator == "IS NULL":
        return not_(there.exists())
    if asked.operator == "IS NOT NULL":
        return there.exists()
    return there.where(_holds(asked, held.c.value, number)).exists()


def _holds(asked: Comparison, column: ColumnElement[Any], number: int) -> ColumnElement[bool]:
    """The condition that a value there is meets the comparison; NULL counts as false."""
    name = f"v{number}"
    value: Any = bindparam(name)
    match asked.operator:
        case "LIKE":
            return FitsPattern(column, value)
        case "ILIKE":
            return FitsPatternFolded(column, value)
        case "IN":
            return Within(column, value)
        case "NOT IN":
            return not_(Within(column, value))
    holds: ColumnElement[bool]
    if asked.kind == "metric" and asked.operator == "!=":
        holds = column.is_(None) | (column != value)  # NaN differs from every number
        return holds
    found: Any = ParamNumber(column) if asked.kind == "param" and isinstance(asked.value, float) else column
    holds = _ORDERINGS[asked.operator](found, value)
    return holds
