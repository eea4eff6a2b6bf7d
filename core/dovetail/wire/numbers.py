"""Numbers in MLflow's JSON: whole ones may come as text, and what is not finite always does."""

from __future__ import annotations

import math
import re
import sys

from dovetail.documents import shown
from dovetail.errors import InvalidInput
from dovetail.values.names import MAX_INT

__all__ = ["dump_float", "load_float", "load_int"]

_DIGITS = re.compile(r"-?[0-9]{1,19}\Z")
_WORDS = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}
_DECIMAL = re.compile(r"-?[0-9]{1,400}(\.[0-9]{1,400})?([eE][+-]?[0-9]{1,3})?\Z")
_LARGEST = int(sys.float_info.max)
_EXACT = 1 << 53
"""Beyond this a float stands for several whole numbers, and nobody knows which one was meant."""


def load_int(data: object, what: str) -> int:
    """The whole number that was sent: as a number, or as its digits in text.

    Args:
        data: What was sent.
        what: The field's name.

    Raises:
        InvalidInput: It is no whole number of 64 bits.
    """
    number = data if type(data) is int else _whole(data)
    if number is not None and -MAX_INT - 1 <= number <= MAX_INT:
        return number
    told = shown(data) if number is None else "one that is larger"
    raise InvalidInput(f"The field {what!r} must be a whole number of 64 bits, not {told}.")


def _whole(data: object) -> int | None:
    if type(data) is float and data.is_integer() and abs(data) <= _EXACT:  # JavaScript knows no other numbers
        return int(data)
    return int(data) if isinstance(data, str) and _DIGITS.match(data) else None


def dump_float(value: float) -> float | str:
    """The number as JSON has it: NaN and the infinities as text."""
    if math.isfinite(value):
        return value
    if value != value:  # noqa: PLR0124 - NaN alone is not itself
        return "NaN"
    return "Infinity" if value > 0 else "-Infinity"


def load_float(data: object, what: str) -> float:
    """The number that was sent: as a number, as one in text, or one of the texts NaN, Infinity and -Infinity.

    Args:
        data: What was sent.
        what: The field's name.

    Raises:
        InvalidInput: It is none, or beyond what floats hold.
    """
    if type(data) is float:
        return data
    if type(data) is int and abs(data) <= _LARGEST:
        return float(data)
    if isinstance(data, str) and (number := _read(data)) is not None:
        return number
    told = "one that is larger" if type(data) is int else shown(data)
    raise InvalidInput(f"The field {what!r} must be a number or one of the texts {', '.join(_WORDS)}, not {told}.")


def _read(text: str) -> float | None:
    if text in _WORDS:
        return _WORDS[text]
    if _DECIMAL.match(text) and math.isfinite(number := float(text)):
        return number
    return None
