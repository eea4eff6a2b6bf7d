"""The part of a search that a server of MLflow's can do itself, in its grammar.

That grammar knows AND alone, and fewer operators. What a server is asked for may find too much, never too little:
whoever searches looks at what it found once more.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from dovetail.tracking.filters import And, Comparison
from dovetail.values import RunStatus

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from dovetail.tracking.filters import Filter, Kind, OrderKey

__all__ = ["LOGGED_MODELS", "NAMED", "RUNS", "VERSIONS", "asked_of", "order_for"]

# What stands in quotes is left alone where it is plain: some releases stumble over quotes, backslashes and semicolons.
_PLAIN_TEXT = re.compile(r"[A-Za-z0-9_%](?:[A-Za-z0-9_ .:/@+,%-]*[A-Za-z0-9_%])?")
_PLAIN_KEY = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_ .:/-]*[A-Za-z0-9_])?")
_PLAIN_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?")

_NUMBERS = ("=", "<", "<=", ">", ">=")  # of NaN, not every release says that it differs from a number
_WORDS = ("=", "!=", "LIKE")
_PREFIXES: Mapping[Kind, str] = {"metric": "metrics", "param": "params", "tag": "tags", "attribute": "attributes"}

RUNS: Mapping[str, tuple[str, ...]] = {
    "metric": _NUMBERS,
    "param": _WORDS,
    "tag": _WORDS,
    "run_id": ("=", "IN"),
    "run_name": ("=", "LIKE"),
    "user_id": ("=",),
    "status": ("=",),
    "start_time": _NUMBERS,
    "end_time": _NUMBERS,
}
"""What runs can be asked for: operators by the kind of key, and by the names of attributes."""

LOGGED_MODELS: Mapping[str, tuple[str, ...]] = {
    "param": ("=",),
    "tag": ("=",),
    "name": ("=",),
    "source_run_id": ("=",),
}
"""The same of logged models."""

NAMED: Mapping[str, tuple[str, ...]] = {"name": ("=", "LIKE"), "tag": ("=",)}
"""The same of experiments and registered models."""

VERSIONS: Mapping[str, tuple[str, ...]] = {"name": ("=",), "run_id": ("=",)}
"""The same of model versions."""


def asked_of(tree: Filter | None, known: Mapping[str, tuple[str, ...]], *, bare: bool = False) -> str | None:
    """The largest part of a filter that a server surely understands, as text; None if that is nothing.

    Args:
        tree: The filter.
        known: Which comparisons it understands; one of the tables of this module.
        bare: Whether attributes stand without prefix.
    """
    terms = tree.terms if isinstance(tree, And) else (tree,)
    asked = [text for term in terms if isinstance(term, Comparison) for text in _written(term, known, bare=bare)]
    return " AND ".join(asked) or None


def order_for(keys: Sequence[OrderKey]) -> list[str] | None:
    """The clauses that a server sorts runs by; None if it cannot."""
    if not all(_PLAIN_KEY.fullmatch(key.key) for key in keys):
        return None
    return [f"{_identifier(key.kind, key.key)} {'ASC' if key.ascending else 'DESC'}" for key in keys]


def _written(term: Comparison, known: Mapping[str, tuple[str, ...]], *, bare: bool) -> Iterator[str]:
    operators = known.get(term.key if term.kind == "attribute" else term.kind, ())
    if not operators or not _PLAIN_KEY.fullmatch(term.key):
        return
    name = term.key if bare and term.kind == "attribute" else _identifier(term.kind, term.key)
    for operator, value in _simple(term):
        literal = _literal(term.key, value)
        numeric = operators == _NUMBERS
        if operator in operators and literal is not None and numeric == isinstance(value, (int, float)):
            yield f"{name} {operator} {literal}"


def _simple(term: Comparison) -> list[tuple[str, object]]:
    """The comparison, or two that mean the same."""
    if term.operator == "BETWEEN" and isinstance(term.value, tuple):
        return [(">=", term.value[0]), ("<=", term.value[1])]
    return [(term.operator, term.value)]


def _identifier(kind: Kind, key: str) -> str:
    return f"{_PREFIXES[kind]}.{key}" if kind == "attribute" else f"{_PREFIXES[kind]}.`{key}`"


def _literal(key: str, value: object) -> str | None:
    if isinstance(value, tuple):
        members = [_literal(key, each) for each in value]
        return None if None in members else f"({', '.join(map(str, members))})"
    if isinstance(value, str):
        # A server of MLflow's has no word for what crashed.
        word = RunStatus.FAILED if key == "status" and value == RunStatus.CRASHED else value
        return f"'{word}'" if _PLAIN_TEXT.fullmatch(word) else None
    number = repr(value)
    return number if _PLAIN_NUMBER.fullmatch(number) else None
