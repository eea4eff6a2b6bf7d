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

__all__ = ["And", "Comparison", "Filter", "Kind", "Not", "Operand", "Or", "OrderKey"]

Kind: TypeAlias = Literal["metric", "param", "tag", "attribute", "dataset"]
Operand: TypeAlias = "str | float | int | tuple[str, ...] | None"
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
        operator: ``= != < <= > >= LIKE ILIKE IN NOT IN IS NULL IS NOT NULL``, in capitals.
        value: Text for text operators; a float for metrics and for the numeric comparison of a
            param; an int or float for numeric attributes (an int fits 64 bits, signed); a
            tuple of at least one text for IN and NOT IN; None for IS NULL and IS NOT NULL.
    """

    kind: Kind
    key: str
    operator: str
    value: Operand

    def __str__(self) -> str:
        question = f"{_identifier(self.kind, self.key)} {self.operator}"
        return question if self.value is None else f"{question} {_literal(self.value)}"


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
class OrderKey:
    """One key to sort by, such as ``metrics.acc DESC``.

    Attributes:
        kind: What the key names.
        key: The key without prefix and quotes; attributes by their one canonical name.
        ascending: Smallest first; what has no value comes last either way.
    """

    kind: Kind
    key: str
    ascending: bool = True

    def __str__(self) -> str:
        return f"{_identifier(self.kind, self.key)} {'ASC' if self.ascending else 'DESC'}"


def _identifier(kind: Kind, key: str) -> str:
    return _PREFIXES[kind] + (key if _PLAIN_KEY.fullmatch(key) else _quoted(key, "`"))


def _literal(value: str | float | tuple[str, ...]) -> str:
    if isinstance(value, str):
        return _quoted(value, "'")
    if isinstance(value, tuple):
        return f"({', '.join(_quoted(text, chr(39)) for text in value)})"
    if math.isinf(value):
        # The grammar has no word for infinity; a literal beyond the range of a double is one.
        return "1e999" if value > 0 else "-1e999"
    return repr(value)


def _quoted(text: str, mark: str) -> str:
    return f"{mark}{text.replace(mark, mark * 2)}{mark}"


def _enclosed(term: Filter, *looser: type) -> str:
    return f"({term})" if isinstance(term, looser) else str(term)
