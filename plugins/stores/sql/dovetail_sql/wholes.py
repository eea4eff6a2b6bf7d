"""Comparisons of whole numbers, such as times, with any numbers: as comparisons with whole ones of 64 bits.

Engines differ in what they make of others beside a column of whole numbers: some round 9.5 to 10 before they look.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dovetail.tracking.filters import Comparison

__all__ = ["whole"]

_LEAST, _MOST = -(2**63), 2**63 - 1


def whole(asked: Comparison) -> Comparison:
    """The same question with whole numbers; what is no question about numbers stays as it is."""
    values: tuple[Any, ...] = asked.value if isinstance(asked.value, tuple) else (asked.value,)
    if not all(isinstance(value, (int, float)) for value in values):
        return asked
    if asked.operator in ("=", "IN", "!=", "NOT IN"):
        return _among(asked, values)
    if asked.operator == "NOT BETWEEN":
        return _outside(asked, _ceiling(values[0]), _floor(values[1]))
    return _between(asked, *_ends(asked.operator, *values))


def _ends(operator: str, first: float, second: float = 0) -> tuple[int, int]:
    """The least and the largest whole number that meet the comparison."""
    ends: dict[str, tuple[int, int]] = {
        ">": (_floor(first) + 1, _MOST),
        ">=": (_ceiling(first), _MOST),
        "<": (_LEAST, _ceiling(first) - 1),
        "<=": (_LEAST, _floor(first)),
        "BETWEEN": (_ceiling(first), _floor(second)),
    }
    return ends[operator]


def _among(asked: Comparison, values: tuple[Any, ...]) -> Comparison:
    kept = tuple(_floor(value) for value in values if _LEAST <= _floor(value) == _ceiling(value) <= _MOST)
    if asked.operator in ("=", "!=") and kept:
        return replace(asked, value=kept[0])
    if kept:
        return replace(asked, value=kept)
    return _between(asked, 1, 0) if asked.operator in ("=", "IN") else _between(asked, _LEAST, _MOST)


def _between(asked: Comparison, low: int, high: int) -> Comparison:
    """What lies between, both ends included; spelled with one end where that says it."""
    if low > high or low > _MOST or high < _LEAST:
        return replace(asked, operator="BETWEEN", value=(1, 0))
    if high >= _MOST:
        return replace(asked, operator=">=", value=max(low, _LEAST))
    if low <= _LEAST:
        return replace(asked, operator="<=", value=high)
    return replace(asked, operator="BETWEEN", value=(low, high))


def _outside(asked: Comparison, low: int, high: int) -> Comparison:
    """What lies below the one or above the other."""
    if low > _MOST or high < _LEAST or low > high + 1:
        return _between(asked, _LEAST, _MOST)
    return replace(asked, value=(max(low, _LEAST), min(high, _MOST)))


def _floor(value: float) -> int:
    return _MOST + 1 if value > _MOST else _LEAST - 1 if value < _LEAST else math.floor(value)


def _ceiling(value: float) -> int:
    return _MOST + 1 if value > _MOST else _LEAST - 1 if value < _LEAST else math.ceil(value)
