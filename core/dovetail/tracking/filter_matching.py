"""The meaning of search filters and orders, as code that any store can use or is held to."""

from __future__ import annotations

import math
import operator
import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from dovetail.tracking.filter_tree import And, Comparison, DatasetChoice, Filter, Kind, Not, Or, OrderKey

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
    """Something that can be searched: a run, an experiment, a model."""

    def lookup(self, kind: Kind, key: str, dataset: DatasetChoice | None = None) -> float | int | str | None:
        """The value under a key that results are sorted by, None if there is none.

        Metrics and times are numbers, everything else is text; one key has one type on all
        subjects. Of several points of a metric it is the latest one.

        Args:
            kind: What the key names.
            key: The canonical key.
            dataset: For metrics of logged models: which points count, None for all.
        """

    def lookup_all(self, kind: Kind, key: str) -> Iterable[float | str]:
        """The values under a key that comparisons ask about.

        None or one, but for what a subject has many of: of a field of datasets one for each dataset
        that a run has used, of a metric of a logged model one for each point.
        """


_S = TypeVar("_S", bound=Subject)


def matches(tree: Filter | None, subject: Subject) -> bool:
    """Whether a subject meets a filter; no filter is met by everything.

    Every store answers exactly like this, also one that translates filters to SQL:

    - Logic has two values. A comparison with a key that the subject has not is false, with
      whichever operator, ``!=``, ``NOT IN`` and ``NOT BETWEEN`` included; only ``IS NULL`` is
      true then. ``NOT`` turns false into true, so ``NOT tags.a = 'x'`` finds what has no tag
      ``a`` and ``tags.a != 'x'`` does not.
    - One tag is special on registered models and their versions: without the tag
      ``mlflow.prompt.is_prompt`` they are found as if it were ``false``. The reader of filters
      sees to that, by writing what holds for ``false`` as ``NOT`` of its opposite.
    - NaN differs from every number: with it ``!=`` and ``NOT IN`` are true, all else false.
      Infinities compare as the largest and smallest numbers.
    - ``BETWEEN a AND b`` includes both ends; ``NOT BETWEEN`` means below the one or above the other.
    - A param compared with unquoted numbers counts as a number if :func:`param_number` says
      so; with any other text the comparison is false, ``!=`` included.
    - Text compares by its characters, case included; ``LIKE`` and ``ILIKE`` as in :func:`like`.
    - Of a run's metrics the latest point is compared. Of a logged model's, every point counts that
      was measured on one of the datasets asked for (on any or none, if none was asked for): a
      comparison is true if it is true of at least one.
    - So with datasets: a comparison is true if it is true of at least one that the run has used.
      Two comparisons may be met by two different datasets, or points.
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
        case Comparison(operator="IS NULL"):
            return not any(True for _ in subject.lookup_all(tree.kind, tree.key))
        case Comparison():
            return any(_holds(tree, value) for value in subject.lookup_all(tree.kind, tree.key))


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
    folding is longer than they are (ß, ŉ) or is ASCII though they are not (the long s, the
    Kelvin sign) is not promised to be the same in every store.
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


def _holds(comparison: Comparison, found: float | str) -> bool:
    """Whether a value that is there meets a comparison."""
    wanted = comparison.value
    if wanted is None:
        return True
    if comparison.kind == "param" and not _is_text(wanted):
        number = param_number(str(found))
        return number is not None and _relates(comparison.operator, number, wanted)
    return _relates(comparison.operator, found, wanted)


def _is_text(wanted: object) -> bool:
    return isinstance(wanted[0] if isinstance(wanted, tuple) else wanted, str)


def _relates(name: str, found: Any, wanted: Any) -> bool:
    match name:
        case "IN":
            return found in wanted
        case "NOT IN":
            return found not in wanted
        case "BETWEEN":
            return bool(wanted[0] <= found <= wanted[1])
        case "NOT BETWEEN":
            return bool(found < wanted[0] or found > wanted[1])
        case "LIKE" | "ILIKE":
            return like(found, wanted, fold=name == "ILIKE")
    return _ORDERINGS[name](found, wanted)


@lru_cache(maxsize=128)
def _pieces(pattern: str) -> tuple[re.Pattern[str], ...]:
    pieces = (piece.split("_") for piece in pattern.split("%"))
    return tuple(re.compile(".".join(map(re.escape, piece)), re.DOTALL) for piece in pieces)


def _arranged(subjects: list[_S], key: OrderKey) -> list[_S]:
    valued: list[tuple[_S, float | str]] = []
    undefined: list[_S] = []
    missing: list[_S] = []
    for subject in subjects:
        value = subject.lookup(key.kind, key.key, key.dataset)
        if value is None:
            missing.append(subject)
        elif isinstance(value, float) and math.isnan(value):
            undefined.append(subject)
        else:
            valued.append((subject, value))
    valued.sort(key=operator.itemgetter(1), reverse=not key.ascending)
    return [subject for subject, _ in valued] + undefined + missing
