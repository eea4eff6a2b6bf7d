"""The meaning of search filters and orders, as code that any store can use or is held to."""

from __future__ import annotations

import math
import operator
import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from dovetail.tracking.filter_tree import And, Comparison, Filter, Kind, Not, Or, OrderKey

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

__all__ = ["Subject", "like", "matches", "param_number", "sort_subjects"]

_PARAM_NUMBER = re.compile(r"\s*[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?\s*", re.ASCII)
_ORDERINGS: dict[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


class Subject(Protocol):
    """Something that can be searched: a run, an experiment."""

    def lookup(self, kind: Kind, key: str) -> float | int | str | None:
        """The value under a key, None if there is none.

        Metrics (the latest value) and times are numbers, everything else is text; one key
        has one type on all subjects.
        """

    def lookup_all(self, kind: Kind, key: str) -> Iterable[str]:
        """The values of one dataset field, over all datasets the subject has used."""


_S = TypeVar("_S", bound=Subject)


def matches(tree: Filter | None, subject: Subject) -> bool:
    """Whether a subject meets a filter; no filter is met by everything.

    Every store answers exactly like this, also one that translates filters to SQL:

    - Logic has two values. A comparison with a key that the subject has not is false, with
      whichever operator, ``!=`` and ``NOT IN`` included; only ``IS NULL`` is true then. ``NOT``
      turns false into true, so ``NOT tags.a = 'x'`` finds what has no tag ``a`` and
      ``tags.a != 'x'`` does not.
    - NaN differs from every number: with it ``!=`` is true, all else false. Infinities compare
      as the largest and smallest numbers.
    - A param compared with an unquoted number counts as a number if :func:`param_number` says
      so; with any other text the comparison is false, ``!=`` included.
    - Text compares by its characters, case included; ``LIKE`` and ``ILIKE`` as in :func:`like`.
    - A comparison about datasets is true if it is true of at least one dataset; two comparisons
      may be met by two different datasets.
    """
    match tree:
        case None:
            return True
        case And(terms):
            return all(matches(term, subject) for term in terms)
        case Or(terms):
            return any(matches(term, subject) for term in terms)
        case Not(term):
            return not matches(term, subject)
        case Comparison(kind="dataset"):
            return any(_holds(tree, value) for value in subject.lookup_all("dataset", tree.key))
        case Comparison():
            return _holds(tree, subject.lookup(tree.kind, tree.key))


def sort_subjects(subjects: Iterable[_S], order: Sequence[OrderKey]) -> list[_S]:
    """Sort by the first key, ties by the second, and so on.

    What has no value comes last in both directions, NaN right before it. Text, params included,
    is ordered by code point. What is equal under all keys keeps the order it came in: breaking
    ties (runs: start time, newest first, then run id) is the store's duty.
    """
    arranged = list(subjects)
    for key in reversed(order):
        arranged = _arranged(arranged, key)
    return arranged


def like(text: str, pattern: str, *, fold: bool = False) -> bool:
    """Whether the whole text fits a pattern, as LIKE does, or ILIKE with ``fold``.

    ``%`` stands for any characters or none, line ends included, ``_`` for exactly one; nothing
    escapes them. ``fold`` disregards case in all alphabets. What it does with characters whose
    folding is longer than they are (ß, ŉ) is not promised to be the same in every store.
    """
    if fold:
        text, pattern = text.casefold(), pattern.casefold()
    head, *rest = _pieces(pattern)
    if not rest:
        return head.fullmatch(text) is not None
    # Leftmost fits, piece by piece: a single expression would backtrack without bound.
    position = 0 if (found := head.match(text)) is None else found.end()
    for piece in rest[:-1]:
        if found is None:
            return False
        found = piece.search(text, position)
        position = position if found is None else found.end()
    end = len(text) - len(pattern.rpartition("%")[2])
    return found is not None and end >= position and rest[-1].match(text, end) is not None


def param_number(text: str) -> float | None:
    """The number a param's text stands for, None if it is none.

    Digits with an optional sign, point and exponent, space around them; no underscores, no
    digits of other scripts, no ``nan`` or ``inf``. Beyond the range of a double: infinity, or 0.
    """
    return float(text) if _PARAM_NUMBER.fullmatch(text) else None


def _holds(comparison: Comparison, found: float | str | None) -> bool:
    wanted = comparison.value
    if wanted is None:
        return (found is None) == (comparison.operator == "IS NULL")
    if comparison.kind == "param" and isinstance(found, str) and isinstance(wanted, float):
        found = param_number(found)
    if found is None:
        return False
    if isinstance(wanted, tuple):
        return (found in wanted) == (comparison.operator == "IN")
    if comparison.operator in ("LIKE", "ILIKE"):
        return like(str(found), str(wanted), fold=comparison.operator == "ILIKE")
    return _ORDERINGS[comparison.operator](found, wanted)


@lru_cache(maxsize=128)
def _pieces(pattern: str) -> tuple[re.Pattern[str], ...]:
    pieces = (piece.split("_") for piece in pattern.split("%"))
    return tuple(re.compile(".".join(map(re.escape, piece)), re.DOTALL) for piece in pieces)


def _arranged(subjects: list[_S], key: OrderKey) -> list[_S]:
    valued: list[tuple[_S, float | str]] = []
    undefined: list[_S] = []
    missing: list[_S] = []
    for subject in subjects:
        value = subject.lookup(key.kind, key.key)
        if value is None:
            missing.append(subject)
        elif isinstance(value, float) and math.isnan(value):
            undefined.append(subject)
        else:
            valued.append((subject, value))
    valued.sort(key=operator.itemgetter(1), reverse=not key.ascending)
    return [subject for subject, _ in valued] + undefined + missing
