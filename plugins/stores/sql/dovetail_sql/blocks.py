"""Blocks: points of a metric packed into bytes, and heads that say what is in them.

A block holds up to 4096 points of one run and key, in the order of histories (timestamp, step, value, NaN last),
each once. It is two pieces of bytes; all numbers are little-endian, and each piece ends with the CRC-32 of what stands
before it.

*Head*: the version of the format (1 byte, 1), the number of parts (1), the number of points that are NaN (2 bytes),
and then points of 24 bytes each (timestamp and step as whole numbers of 8 bytes, value as a double): the first, the
last, and for each part of ``PART`` points the one with the lowest and the one with the highest value. Of equal ones
that is the first; NaN is neither, unless a part has nothing else.

*Payload*: the version (1 byte), the codes of the timestamps and of the steps (1 byte each), a byte that is 0, the
number of points (4 bytes), and the columns: timestamps, steps, values. Values are doubles. The others are written by
code:

* ``s``: the first number and the stride to each next one, 8 bytes each: the usual case for steps;
* ``b B h H i I``: the first number (8 bytes) and the differences to each next one, of 1, 2 or 4 bytes, with sign or
  (capitals) without one: the usual case for timestamps;
* ``q``: every number, 8 bytes each.
"""

from __future__ import annotations

import struct
import sys
import zlib
from array import array
from itertools import accumulate
from math import isnan, nan
from operator import itemgetter, le, lt, sub
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from dovetail.errors import StoreError
from dovetail.tracking.series import Series
from dovetail.tracking.thinning import extremes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dovetail_sql.database import Row

__all__ = [
    "PART",
    "Head",
    "Point",
    "are_ordered",
    "defined",
    "head_of",
    "joined",
    "ordered",
    "packed",
    "packed_columns",
    "place",
    "points_of",
    "sketched",
]

PART = 512

Point: TypeAlias = "tuple[int, int, float | None]"
"""Timestamp, step and value as rows of the tail have them: None is NaN."""

_VERSION = 1
_HEAD, _POINT, _PAYLOAD, _CHECK = struct.Struct("<BBH"), struct.Struct("<qqd"), struct.Struct("<B1s1sxI"), "<I"
_WIDTHS = (
    ("B", 0, 2**8),
    ("b", -(2**7), 2**7),
    ("H", 0, 2**16),
    ("h", -(2**15), 2**15),
    ("I", 0, 2**32),
    ("i", -(2**31), 2**31),
)


class Head(NamedTuple):
    """What is known of a block without its points.

    Args:
        first: The first point.
        last: The last point.
        parts: For each part the points with the lowest and the highest value.
        undefined: How many points are NaN.
    """

    first: Point
    last: Point
    parts: Sequence[tuple[Point, Point]]
    undefined: int


def place(point: Point) -> tuple[int, int, int, float]:
    """What a history is sorted by."""
    timestamp, step, value = point
    return timestamp, step, int(value is None), 0.0 if value is None else value


def ordered(points: Sequence[Point]) -> list[Point]:
    """Points in the order of histories, each once."""
    undefined = None in map(itemgetter(2), points)
    found = sorted(points, key=place if undefined else None)
    return [point for point, before in zip(found, [None, *found], strict=False) if point != before]


def defined(values: Sequence[float]) -> Sequence[float | None]:
    """Values as points have them: None for NaN."""
    # NaN shows in the sum, and so do infinities that cancel out, which does no harm.
    return [None if isnan(value) else value for value in values] if isnan(sum(values)) else values


# --- writing -------------------------------------------------------------------------------------------------


def are_ordered(timestamps: list[int], steps: list[int]) -> bool:
    """Whether points are in the order of histories for certain, each once: what a loop logs is."""
    return all(map(le, timestamps, timestamps[1:])) and all(map(lt, steps, steps[1:]))


def packed(points: Sequence[Point]) -> Row:
    """A block, as the values of a row from ``points`` on.

    Args:
        points: At least one and at most ``growth.SIZE`` points, as ``ordered`` gives them.
    """
    timestamps, steps, numbers = (list(column) for column in zip(*points, strict=True))
    return packed_columns(timestamps, steps, [nan if value is None else value for value in numbers])


def packed_columns(timestamps: list[int], steps: list[int], values: list[float]) -> Row:
    """The same of columns, where NaN is NaN."""
    codes_and_columns = [_coded(timestamps), _coded(steps)]
    payload = _PAYLOAD.pack(_VERSION, *(code for code, _ in codes_and_columns), len(values))
    payload += b"".join(column for _, column in codes_and_columns) + _little(array("d", values))
    head = _packed_head(sketched(timestamps, steps, values))
    spans = (timestamps[0], timestamps[-1], min(steps), max(steps))
    return len(values), *spans, _checked(head), _checked(payload)


def sketched(timestamps: Sequence[int], steps: Sequence[int], values: Sequence[float]) -> Head:
    """The head of a block of these points, however many they are."""
    numbers = defined(values)

    def point(number: int) -> Point:
        return timestamps[number], steps[number], numbers[number]

    parts = []
    for start in range(0, len(values), PART):
        low, high = extremes(values[start : start + PART])
        parts.append((point(start + low), point(start + high)))
    undefined = 0 if numbers is values else numbers.count(None)
    return Head(point(0), point(len(values) - 1), parts, undefined)


def _packed_head(head: Head) -> bytes:
    points = [head.first, head.last, *(point for part in head.parts for point in part)]
    written = (_POINT.pack(*point[:2], nan if point[2] is None else point[2]) for point in points)
    return _HEAD.pack(_VERSION, len(head.parts), head.undefined) + b"".join(written)


def _coded(numbers: Sequence[int]) -> tuple[bytes, bytes]:
    """The code of a column of whole numbers, and its bytes."""
    differences = list(map(sub, numbers[1:], numbers))
    least, most = min(differences, default=0), max(differences, default=0)
    if least == most and -(2**63) <= least < 2**63:
        return b"s", struct.pack("<qq", numbers[0], least)
    for code, low, high in _WIDTHS:
        if low <= least and most < high:
            return code.encode(), struct.pack("<q", numbers[0]) + _little(array(code, differences))
    return b"q", _little(array("q", numbers))


def _checked(data: bytes) -> bytes:
    return data + struct.pack(_CHECK, zlib.crc32(data))


def _little(column: array[Any]) -> bytes:
    if sys.byteorder == "big":
        column.byteswap()
    return column.tobytes()


# --- reading -------------------------------------------------------------------------------------------------


def head_of(data: bytes) -> Head:
    """The head that these bytes are.

    Raises:
        StoreError: They are damaged, or were written by a newer release.
    """
    body = _trusted(data)
    _, parts, undefined = _HEAD.unpack_from(body)
    points = [
        (timestamp, step, None if isnan(value) else value)
        for timestamp, step, value in _POINT.iter_unpack(body[_HEAD.size :])
    ]
    pairs = list(zip(points[2::2], points[3::2], strict=True))
    if len(pairs) != parts:
        raise _damaged()
    return Head(points[0], points[1], pairs, undefined)


def _columns(data: bytes) -> tuple[array[int], array[int], array[float]]:
    """Timestamps, steps and values of a payload.

    Raises:
        StoreError: It is damaged, or was written by a newer release.
    """
    body = _trusted(data)
    _, *codes, count = _PAYLOAD.unpack_from(body)
    start, found = _PAYLOAD.size, []
    for code in codes:
        end = start + _length(code, count)
        found.append(_whole(code, body[start:end], count))
        start = end
    return found[0], found[1], _array("d", body[start:])


def points_of(data: bytes) -> list[Point]:
    """The points of a payload, in order.

    Raises:
        StoreError: It is damaged, or was written by a newer release.
    """
    timestamps, steps, values = _columns(data)
    return list(zip(timestamps.tolist(), steps.tolist(), defined(values.tolist()), strict=True))


def joined(key: str, payloads: Sequence[bytes], count: int, np: Any | None = None) -> Series:
    """The points of several blocks, one after the other.

    Args:
        key: The metric.
        payloads: The blocks' payloads.
        count: How many points they hold.
        np: Numpy, if it is to be used.
    """
    if np is not None:
        return _joined_by_numpy(np, key, payloads, count)
    timestamps, steps, values = array("q"), array("q"), array("d")
    for payload in payloads:
        more_timestamps, more_steps, more_values = _columns(payload)
        timestamps += more_timestamps
        steps += more_steps
        values += more_values
    return Series(key, steps, timestamps, values)


def _joined_by_numpy(np: Any, key: str, payloads: Sequence[bytes], count: int) -> Series:
    whole = [np.empty(count, np.int64), np.empty(count, np.int64)]
    values, done = np.empty(count, np.float64), 0
    for payload in payloads:
        body = _trusted(payload)
        _, *codes, size = _PAYLOAD.unpack_from(body)
        start, until = _PAYLOAD.size, done + size
        for code, column in zip(codes, whole, strict=True):
            end = start + _length(code, size)
            _fill(np, code, body[start:end], column[done:until])
            start = end
        values[done:until] = np.frombuffer(body[start:], "<f8")
        done = until
    timestamps, steps = whole
    return Series(key, steps, timestamps, values)


def _fill(np: Any, code: bytes, data: memoryview, column: Any) -> None:
    """Write a column of whole numbers into its place."""
    if code == b"q":
        column[:] = np.frombuffer(data, "<i8")
        return
    (first,) = struct.unpack_from("<q", data)
    column[0] = first
    if code == b"s":
        (stride,) = struct.unpack_from("<q", data, 8)
        column[1:] = stride
    else:
        column[1:] = np.frombuffer(data[8:], np.dtype(code.decode()).newbyteorder("<"))
    np.cumsum(column, out=column)


def _whole(code: bytes, data: memoryview, count: int) -> array[int]:
    """A column of whole numbers in plain Python."""
    if code == b"q":
        return _array("q", data)
    (first,) = struct.unpack_from("<q", data)
    if code != b"s":
        return array("q", accumulate(_array(code.decode(), data[8:]), initial=first))
    (stride,) = struct.unpack_from("<q", data, 8)
    return array("q", range(first, first + stride * count, stride)) if stride else array("q", [first]) * count


def _length(code: bytes, count: int) -> int:
    if code == b"s":
        return 16
    return 8 * count if code == b"q" else 8 + struct.calcsize(f"<{code.decode()}") * (count - 1)


def _array(code: str, data: memoryview) -> array[Any]:
    column = array(code)
    column.frombytes(data)
    if sys.byteorder == "big":
        column.byteswap()
    return column


def _trusted(data: bytes) -> memoryview:
    """The bytes without their checksum, which fits."""
    body = memoryview(data)[:-4]
    (check,) = struct.unpack_from(_CHECK, data, len(body)) if len(data) > _HEAD.size else (None,)
    if check != zlib.crc32(body):
        raise _damaged()
    if body[0] != _VERSION:
        raise StoreError(
            f"A block of a metric's history has format {body[0]}; this release reads format {_VERSION}.",
            hint="A newer dovetail wrote it: upgrade this one.",
        )
    return body


def _damaged() -> StoreError:
    return StoreError("A block of a metric's history is damaged.", hint="Restore the database from a backup.")
