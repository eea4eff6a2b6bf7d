"""What a search filter or an order clause means once it is read.

A filter is a tree of :class:`Comparison`, :class:`And`, :class:`Or` and :class:`Not`; all of
them are frozen and hashable. ``str(tree)`` writes it back in the search grammar, with the
parentheses it needs and no more, and reading that text gives an equal tree.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Literal, TypeAlias

__all__ = ["And", "Comparison", "DatasetChoice", "Filter", "Kind", "Not", "Operand", "Or", "OrderKey"]

Kind: TypeAlias = Literal["metric", "param", "tag", "attribute", "dataset"]
Operand: TypeAlias = "str | float | int | tuple[str, ...] | tuple[float, ...] | None"
Filter: TypeAlias = "Comparison | And | Or | Not"

_PREFIXES: dict[Kind, str] = {
    "metric": "metrics.",
    "param": "params.",
    "tag": "tags.",
    "attribute": "",
    "dataset": "datasets.",
}
_PLAIN_KEY = re.compile(r"\w+(?:\.\w+)*")


@dataclass(frozen=True)
class Comparison:
    """One question about one key, such as ``metrics.acc > 0.9``.

    Attributes:
        kind: What the key names.
        key: The key without prefix and quotes; attributes by their one canonical name.
        operator: ``= != < <= > >= LIKE ILIKE IN NOT IN BETWEEN NOT BETWEEN IS NULL IS NOT NULL``, in
            capitals.
        value: Text for text operators; a float for metrics and for the numeric comparison of a
            param; an int or float for numeric attributes (an int fits 64 bits, signed); a
            tuple of at least one of these, all texts or all numbers, for IN and NOT IN; the two
            ends for BETWEEN and NOT BETWEEN; None for IS NULL and IS NOT NULL.
    """

    kind: Kind
    key: str
    operator: str
    value: Operand

    def __str__(self) -> str:
        question = f"{_identifier(self.kind, self.key)} {self.operator}"
        if self.value is None:
            return question
        if not isinstance(self.value, tuple):
            return f"{question} {_literal(self.value)}"
        values = map(_literal, self.value)
        return (
            f"{question} {' AND '.join(values)}" if "BETWEEN" in self.operator else f"{question} ({', '.join(values)})"
        )


@dataclass(frozen=True)
class And:
    """All of two or more terms hold."""

    terms: tuple[Filter, ...]

    def __str__(self) -> str:
        return " AND ".join(_enclosed(term, And, Or) for term in self.terms)


@dataclass(frozen=True)
class Or:
    """At least one of two or more terms holds."""

    terms: tuple[Filter, ...]

    def __str__(self) -> str:
        return " OR ".join(_enclosed(term, Or) for term in self.terms)


@dataclass(frozen=True)
class Not:
    """The term does not hold."""

    term: Filter

    def __str__(self) -> str:
        return f"NOT {_enclosed(self.term, And, Or)}"


@dataclass(frozen=True)
class DatasetChoice:
    """Which points of a logged model's metrics count: those that were measured on one dataset.

    Attributes:
        name: The dataset's name; None for any.
        digest: Its digest; None for any.
    """

    name: str | None = None
    digest: str | None = None

    def admits(self, name: str | None, digest: str | None) -> bool:
        """Whether a point counts that was measured on the dataset of this name and digest."""
        return self.name in (None, name) and self.digest in (None, digest)


@dataclass(frozen=True)
class OrderKey:
    """One key to sort by, such as ``metrics.acc DESC``.

    Attributes:
        kind: What the key names.
        key: The key without prefix and quotes; attributes by their one canonical name.
        ascending: Smallest first; what has no value comes last either way.
        dataset: For metrics of logged models: which points count, None for all.
    """

    kind: Kind
    key: str
    ascending: bool = True
    dataset: DatasetChoice | None = None

    def __str__(self) -> str:
        written = f"{_identifier(self.kind, self.key)} {'ASC' if self.ascending else 'DESC'}"
        # The grammar has no words for a dataset; whoever tells orders apart by their text needs it nevertheless.
        return written if self.dataset is None else f"{written} ON {self.dataset.name!r} {self.dataset.digest!r}"


def _identifier(kind: Kind, key: str) -> str:
    return _PREFIXES[kind] + (key if _PLAIN_KEY.fullmatch(key) else _quoted(key, "`"))


def _literal(value: str | float) -> str:
    if isinstance(value, str):
        return _quoted(value, "'")
    if math.isinf(value):
        # The grammar has no word for infinity; a literal beyond the range of a double is one.
        return "1e999" if value > 0 else "-1e999"
    return repr(value)


def _quoted(text: str, mark: str) -> str:
    return f"{mark}{text.replace(mark, mark * 2)}{mark}"


def _enclosed(term: Filter, *looser: type) -> str:
    return f"({term})" if isinstance(term, looser) else str(term)
