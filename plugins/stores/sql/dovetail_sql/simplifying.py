"""Filters in a form that engines take well; they mean what they meant."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from dovetail.tracking.filters import And, Comparison, Not, Or
from dovetail_sql.wholes import whole

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from dovetail.tracking.filters import Filter

__all__ = ["nesting", "simplified"]

_Terms: TypeAlias = "Sequence[Filter]"


def simplified(tree: Filter) -> Filter:
    """The filter with NOT before comparisons only, and with a list for each key that is one of several values.

    Depth is what parsers of SQL run out of room by, and length what searches take their time for.
    """
    return _positive(tree, negated=False)


def nesting(tree: Filter) -> int:
    """How much room a parser needs for a filter whose terms are written in the order of this number, largest first."""
    match tree:
        case Not(term):
            return 1 + nesting(term)
        case And(terms) | Or(terms):
            first, *others = sorted(map(nesting, terms), reverse=True)
            # What stands before an inner term is waiting until that is read.
            return 1 + max(first, *(2 + other for other in others))
        case Comparison():
            return 0


def _positive(tree: Filter, *, negated: bool) -> Filter:
    match tree:
        case Not(term):
            return _positive(term, negated=not negated)
        case And(terms) | Or(terms):
            inner = [_positive(term, negated=negated) for term in terms]
            return _all(inner) if isinstance(tree, And) != negated else _any(inner)
        case Comparison():
            asked = whole(tree) if tree.kind == "attribute" else tree
            return Not(asked) if negated else asked


def _all(terms: _Terms) -> Filter:
    flat = [inner for term in terms for inner in (term.terms if isinstance(term, And) else (term,))]
    return And(tuple(flat))


def _any(terms: _Terms) -> Filter:
    flat = [inner for term in terms for inner in (term.terms if isinstance(term, Or) else (term,))]
    joined = list(_with_lists(flat))
    return Or(tuple(joined)) if len(joined) > 1 else joined[0]


def _with_lists(terms: _Terms) -> Iterator[Filter]:
    """The terms, those that ask whether one key has this value or that one as one question."""
    values: dict[tuple[str, str, bool], list[str | float]] = {}
    for term in terms:
        if (about := _equality(term)) is not None:
            values.setdefault(about, []).append(term.value)  # type: ignore[union-attr,arg-type]  # a comparison
    for term in terms:
        about = _equality(term)
        if about is None or len(values[about]) == 1:
            yield term
        elif values[about]:
            yield Comparison(term.kind, term.key, "IN", tuple(values[about]))  # type: ignore[union-attr,arg-type]
            values[about] = []


def _equality(term: Filter) -> tuple[str, str, bool] | None:
    """What a term asks about, if it asks for equality with one value."""
    if not isinstance(term, Comparison) or term.operator != "=":
        return None
    return term.kind, term.key, isinstance(term.value, str)
