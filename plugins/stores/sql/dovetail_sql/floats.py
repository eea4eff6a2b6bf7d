"""Numbers for engines whose DOUBLE has no infinity."""

from __future__ import annotations

import struct
from math import isnan
from typing import TYPE_CHECKING, Any

from sqlalchemy import BigInteger, Double
from sqlalchemy.types import TypeDecorator

if TYPE_CHECKING:
    from sqlalchemy.engine import Dialect

__all__ = ["Bounded", "Ordered", "decoded", "encoded"]

_LOWER = 0x7FFF_FFFF_FFFF_FFFF
_LARGEST = 1.7976931348623157e308


class Ordered(TypeDecorator[float]):
    """A double as the whole number of 64 bits that has its place in the order of all doubles.

    Every double comes back as it was, infinities included, and numbers compare and sort as the doubles do. Zero is 0.
    What reads the table by other means has to decode it.
    """

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: float | None, dialect: Dialect) -> int | None:
        """The number that is stored; NaN counts as NULL."""
        del dialect
        return None if value is None or isnan(value) else encoded(value)

    def process_result_value(self, value: Any | None, dialect: Dialect) -> float | None:
        """The double that a stored number stands for."""
        del dialect
        return None if value is None else decoded(value)


class Bounded(TypeDecorator[float]):
    """A double to compare with, where numbers beyond the range of doubles are cut to the largest one."""

    impl = Double
    cache_ok = True

    def process_bind_param(self, value: float | None, dialect: Dialect) -> float | None:
        """The double that stands for it."""
        del dialect
        return None if value is None else max(-_LARGEST, min(_LARGEST, value))


def encoded(value: float) -> int:
    """The place of a double in the order of all doubles; both zeros are one."""
    bits: int
    (bits,) = struct.unpack("<q", struct.pack("<d", value + 0.0))
    return bits if bits >= 0 else bits ^ _LOWER


def decoded(number: int) -> float:
    """The double of that place."""
    (value,) = struct.unpack("<d", struct.pack("<q", number if number >= 0 else number ^ _LOWER))
    return float(value)
