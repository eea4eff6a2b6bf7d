"""Points that follow one another in a journal, as columns.

Most of a journal is points, and while they are read no line of the training runs: so they are never looked at one by
one. Records of points are equally long, so a byte of a field is every so manieth byte of the journal; a slice has that
byte of all records, and as many slices as the field has bytes make the column.
"""

from __future__ import annotations

import sys
import zlib
from array import array
from typing import TYPE_CHECKING, Any, TypeAlias

from dovetail.tracking.journal.records import HEAD, POINT, POINT_SIZE, WHOLE_POINT

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Columns", "columns_of", "points_at"]

Columns: TypeAlias = "tuple[array[int], array[int], array[float]]"
"""Timestamps, steps and values."""

_SIZE = WHOLE_POINT.size
_KIND, _KEYS, _TIMESTAMP, _STEP, _VALUE = 8, 9, 17, 25, 33
"""Where fields begin in a record; run and key are read as one number."""
_ALIKE = [*enumerate(POINT_SIZE.to_bytes(4, "little")), (_KIND, POINT)]
"""The bytes that all points have in common, by place: length and kind."""
_FEW, _MORE = 16, 8
"""So many records are looked at first, and so many times as many each time that all of them are points."""


def points_at(data: bytes, place: int, *, trusted: bool) -> int:
    """How many points follow one another from a place on.

    Args:
        data: Some of a journal.
        place: Where a record begins.
        trusted: Leave out the checksums.
    """
    found, window = 0, _FEW
    while room := min(window, (len(data) - place) // _SIZE - found):
        start = place + found * _SIZE
        alike = min(_leading(_slice(data, start + each, start, room), byte) for each, byte in _ALIKE)
        found += alike if trusted else _intact(data, start, alike)
        if found * _SIZE < start - place + room * _SIZE:
            break
        window *= _MORE
    return found


def columns_of(data: bytes, place: int, count: int) -> Iterator[tuple[int, int, Columns]]:
    """Points that follow one another, by run and key: their numbers, and the columns.

    Args:
        data: Some of a journal.
        place: Where the first point begins.
        count: How many they are.
    """
    fields = ((_TIMESTAMP, "q"), (_STEP, "q"), (_VALUE, "d"))
    columns = [_column(data, place, field, code, count) for field, code in fields]
    numbers = _column(data, place, _KEYS, "Q", count)
    if period := _period(numbers):
        for first in range(period):
            yield _of(numbers[first], [each[first::period] for each in columns])
        return
    positions: dict[int, list[int]] = {}
    for position, number in enumerate(numbers):
        positions.setdefault(number, []).append(position)
    for number, those in positions.items():
        yield _of(number, [array(each.typecode, [each[one] for one in those]) for each in columns])


# --- steps ---------------------------------------------------------------------------------------------------


def _slice(data: bytes, first: int, place: int, count: int) -> bytes:
    """One byte of so many records, of which the first begins at a place."""
    return data[first : place + count * _SIZE : _SIZE]


def _leading(column: bytes, byte: int) -> int:
    """How many bytes are this one before there is another."""
    return len(column) - len(column.lstrip(bytes([byte])))


def _intact(data: bytes, place: int, count: int) -> int:
    """How many of so many points are whole before there is one that is not."""
    view = memoryview(data)
    for number in range(count):
        start = place + number * _SIZE
        _, check = HEAD.unpack_from(view, start)
        if zlib.crc32(view[start + HEAD.size : start + _SIZE]) != check:
            return number
    return count


def _column(data: bytes, place: int, field: int, code: str, count: int) -> array[Any]:
    """One field of so many records, as an array of this type of eight bytes."""
    found = bytearray(8 * count)
    for byte in range(8):
        found[byte::8] = _slice(data, place + field + byte, place, count)
    column = array(code)
    column.frombytes(found)
    if sys.byteorder == "big":
        column.byteswap()
    return column


def _period(numbers: array[int]) -> int:
    """After how many points the same runs and keys follow again and again, as a loop logs them; 0 if they do not."""
    try:
        period = numbers.index(numbers[0], 1)
    except ValueError:
        period = len(numbers)
    data, width = numbers.tobytes(), numbers.itemsize * period
    return period if data[width:] == data[:-width] and len(set(numbers[:period])) == period else 0


def _of(number: int, columns: list[array[Any]]) -> tuple[int, int, Columns]:
    timestamps, steps, values = columns
    return number & 0xFFFF_FFFF, number >> 32, (timestamps, steps, values)
