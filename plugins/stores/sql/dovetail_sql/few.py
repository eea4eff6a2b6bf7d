"""The numbers of the few that can meet a filter, where they are few.

Planners walk what is searched in the order asked for and test each row, which is right when many meet the filter and
slow when few do. So each comparison is asked for what meets it, up to a bound, by its own index; where these are
few, so are all that meet the filter, and nothing else need be looked at.
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from itertools import accumulate
from typing import TYPE_CHECKING, Any, TypeAlias

from sqlalchemy import bindparam, func, not_, select, true

from dovetail.tracking.filters import And, Comparison, Not, Or
from dovetail_sql.conditions import CHOSEN, comparisons, holds
from dovetail_sql.entities import ENTITIES
from dovetail_sql.shapes import Shape, scope

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import ColumnElement, Select

    from dovetail.tracking.filters import Filter
    from dovetail_sql.database import Transaction

__all__ = ["FEW", "Few"]

FEW = 2000
"""So many are looked at one by one sooner than found on a walk through all."""
_Found: TypeAlias = "frozenset[int] | None"


class Few:
    """What meets the comparisons of one search, as far as it was asked for.

    Args:
        transaction: Where to ask.
        shape: The search.
        passed: Its parameters.
    """

    def __init__(self, transaction: Transaction, shape: Shape, passed: dict[str, Any]) -> None:
        self._transaction, self._passed, self._tree = transaction, passed, shape.tree
        # Equal questions are one statement, whatever else is asked beside them.
        self._base = Shape(shape.entity, None, (), shape.stages, shape.within, shape.chosen)
        self._known: dict[tuple[int, bool], tuple[int, _Found]] = {}

    def of(self, most: int) -> _Found:
        """All that can meet the filter; None if they may be more than ``most``, or nobody knows."""
        return None if self._tree is None else self._of(self._tree, 0, most, negated=False)

    def _of(self, tree: Filter, number: int, most: int, *, negated: bool) -> _Found:
        match tree:
            case Not(term):
                return self._of(term, number, most, negated=not negated)
            case And(terms) | Or(terms):
                joined = self._in_all if isinstance(tree, And) != negated else self._in_any
                return joined(_numbered(terms, number), most, negated=negated)
            case Comparison():
                return self._meeting(tree, number, most, negated=negated)

    def _in_all(self, terms: Sequence[tuple[Filter, int]], most: int, *, negated: bool) -> _Found:
        found: _Found = None
        for term, number in sorted(terms, key=lambda term: _cost(self._base.entity, term[0])):
            if found is not None and (not found or (len(found) <= FEW and _cost(self._base.entity, term))):
                break  # few enough to be looked at one by one
            some = self._of(term, number, most, negated=negated)
            if some is not None:
                found = some if found is None else found & some
        return found

    def _in_any(self, terms: Sequence[tuple[Filter, int]], most: int, *, negated: bool) -> _Found:
        found: frozenset[int] = frozenset()
        for term, number in sorted(terms, key=lambda term: _cost(self._base.entity, term[0])):
            some = self._of(term, number, most, negated=negated)
            if some is None or len(found | some) > most:
                return None
            found |= some
        return found

    def _meeting(self, asked: Comparison, number: int, most: int, *, negated: bool) -> _Found:
        looked_for, found = self._known.get((number, negated), (0, None))
        if found is None and looked_for < most:
            found = self._asked(asked, number, most, negated=negated)
            self._known[number, negated] = (most, found)
        return found

    def _asked(self, asked: Comparison, number: int, most: int, *, negated: bool) -> _Found:
        positive = {"IS NULL": "IS NOT NULL", "IS NOT NULL": "IS NULL"}.get(asked.operator) if negated else None
        if positive:
            asked, negated = Comparison(asked.kind, asked.key, positive, None), False
        vocabulary = self._base.vocabulary
        if asked.kind == "attribute":
            return self._rows(_attribute(self._base, asked, number, negated=negated), most)
        held = vocabulary.holding(asked.kind, asked.key)
        if asked.operator == "IS NULL":
            return None if held.several else self._missing(asked, number, most)
        if negated and held.several:
            return None
        there = self._rows(_owners(self._base, asked, number, negated=negated), most)
        if not negated or there is None:
            return there
        missing = self._missing(asked, number, most)
        return None if missing is None or len(missing | there) > most else missing | there

    def _missing(self, asked: Comparison, number: int, most: int) -> _Found:
        """What has nothing under a key: nobody, mostly, which two counts say."""
        rows = self._transaction.rows
        (everything,), (there,) = (
            rows(query, self._passed)[0] for query in _counts(self._base.entity, asked.kind, number)
        )
        if everything == there:
            return frozenset()
        return self._rows(_without(self._base, asked.kind, number), most) if everything - there < 10 * most else None

    def _rows(self, query: Any, most: int) -> _Found:
        found = self._transaction.rows(query, {**self._passed, "most": most + 1})
        return frozenset(row[0] for row in found) if len(found) <= most else None


def _numbered(terms: Sequence[Filter], first: int) -> list[tuple[Filter, int]]:
    """The terms with the number that the first comparison of each has."""
    sizes = (sum(1 for _ in comparisons(term)) for term in terms[:-1])
    return list(zip(terms, accumulate(sizes, initial=first), strict=True))


def _cost(entity: str, tree: Filter) -> int:
    """0 for what an index answers, 1 for what all values of a key have to be looked at for, more for several."""
    if not isinstance(tree, Comparison):
        return 2
    if tree.kind == "attribute":
        return 0 if tree.key in ENTITIES[entity].indexed and tree.operator not in ("!=", "NOT IN", "LIKE") else 1
    plain = isinstance(tree.value, str) or (isinstance(tree.value, tuple) and isinstance(tree.value[0], str))
    if tree.kind == "metric":
        return 0 if tree.operator in ("=", "<", "<=", ">", ">=", "BETWEEN", "IN") else 1
    return 0 if plain and tree.operator in ("=", "IN") else 1


# --- the questions -------------------------------------------------------------------------------------------


@lru_cache(maxsize=512)
def _owners(base: Shape, asked: Comparison, number: int, *, negated: bool) -> Any:
    """What has a value that meets a comparison, or one that does not."""
    held = base.vocabulary.holding(asked.kind, asked.key)
    met = [] if asked.value is None else [_met(asked, held.value, number, negated=negated)]
    return held.owners(f"k{number}", [*met, *held.on(base.chosen, CHOSEN)])


@lru_cache(maxsize=512)
def _attribute(base: Shape, asked: Comparison, number: int, *, negated: bool) -> Select[Any]:
    vocabulary = base.vocabulary
    column, _ = vocabulary.attributes[asked.key]
    met = column.is_(None) if asked.operator == "IS NULL" else _met(asked, column, number, negated=negated)
    # What no index answers is found fastest by reading the table from end to end.
    base = replace(base, among=asked.key not in vocabulary.indexed)
    return select(vocabulary.table.c.id).where(*scope(base), met).limit(bindparam("most"))


@lru_cache(maxsize=64)
def _counts(entity: str, kind: str, number: int) -> tuple[Select[Any], Select[Any]]:
    """How many there are at all, and how many of them have something under a key."""
    vocabulary = ENTITIES[entity]
    held = vocabulary.held[kind]
    there = select(func.count()).select_from(held.rows).where(held.about(f"k{number}"))
    return select(func.count()).select_from(vocabulary.table), there


@lru_cache(maxsize=64)
def _without(base: Shape, kind: str, number: int) -> Select[Any]:
    vocabulary = base.vocabulary
    held = vocabulary.held[kind]
    mine: Any = held.owner == vocabulary.table.c.id
    there = select(1).select_from(held.rows).where(mine, held.about(f"k{number}")).exists()
    return select(vocabulary.table.c.id).where(*scope(base), not_(there)).limit(bindparam("most"))


def _met(asked: Comparison, column: ColumnElement[Any], number: int, *, negated: bool) -> ColumnElement[bool]:
    met = holds(asked, column, number)
    return met.is_not(true()) if negated else met
