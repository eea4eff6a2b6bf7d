"""Cells of tables as bytes: equal cells give equal bytes on every machine, different ones different bytes."""

from __future__ import annotations

import datetime as dt
import struct
from typing import TYPE_CHECKING, Any

from dovetail.errors import InvalidInput
from dovetail.models.recognition import is_array, is_numpy_scalar

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["encoded", "framed", "is_missing"]

_MISSING = ("NAType", "NaTType")  # of pandas, told by their names so that pandas need not be there
_PROTOCOL = 4  # of pickle: what objects are taken apart by
_TIMES = (dt.datetime, dt.date, dt.time, dt.timedelta)


def is_missing(cell: object) -> bool:
    """Whether a cell is empty: None, NaN, or one of pandas' words for that."""
    # NaN is the one float that differs from itself.
    return cell is None or (isinstance(cell, float) and cell != cell) or type(cell).__name__ in _MISSING  # noqa: PLR0124


def framed(payload: bytes) -> bytes:
    """Bytes with their length before them, so that what is put behind each other cannot run together."""
    return struct.pack("<Q", len(payload)) + payload


def encoded(cell: object) -> bytes:
    """A cell as bytes.

    Missing values are all one, numbers of numpy are those of Python, lists and tuples are one, and dictionaries and
    sets have no order. What dovetail does not know is told by its class and what copying it needs.

    Raises:
        InvalidInput: It cannot be copied, such as an open file, or contains itself.
    """
    try:
        return _encoded(cell)
    except RecursionError as error:
        raise InvalidInput(
            "A cell is nested too deeply to be read, or contains itself.",
            hint="Leave the column out, or give the digest yourself.",
        ) from error


def _encoded(cell: object) -> bytes:
    if is_missing(cell):
        return b"-"
    for kind, write in _WRITERS:
        if isinstance(cell, kind):
            return write(cell)
    if is_numpy_scalar(cell):
        return _numpy_scalar(cell)
    if is_array(cell):
        return _array(cell)
    return _reduced(cell)


def _text(cell: str) -> bytes:
    return b"s" + framed(str(cell).encode("utf-8", "surrogatepass"))


def _sequence(cells: Any) -> bytes:
    return b"[" + framed(b"".join(map(_encoded, cells)))


def _mapping(cells: dict[Any, Any]) -> bytes:
    return b"{" + framed(b"".join(sorted(_encoded(key) + _encoded(value) for key, value in cells.items())))


def _set(cells: Any) -> bytes:
    return b"(" + framed(b"".join(sorted(map(_encoded, cells))))


_WRITERS: tuple[tuple[Any, Callable[[Any], bytes]], ...] = (
    (str, _text),
    (bool, lambda cell: b"1" if cell else b"0"),  # before int, which bool is a kind of
    (int, lambda cell: b"i" + framed(hex(cell).encode())),  # Python refuses to write very long ones in decimals
    (float, lambda cell: b"f" + struct.pack("<d", cell)),
    (complex, lambda cell: b"c" + struct.pack("<dd", cell.real, cell.imag)),
    ((bytes, bytearray, memoryview), lambda cell: b"b" + framed(bytes(cell))),
    (_TIMES, lambda cell: b"t" + framed(f"{_family(cell)} {cell}".encode())),
    ((list, tuple), _sequence),
    (dict, _mapping),
    ((set, frozenset), _set),
)


def _family(cell: object) -> str:
    """Whether it is a moment, a day, a time of day or a span, also where a subclass adds nanoseconds."""
    return next(kind.__name__ for kind in _TIMES if isinstance(cell, kind))


def _numpy_scalar(cell: Any) -> bytes:
    plain = cell.item()
    # Times lose their unit, and long doubles stay as they are.
    if cell.dtype.kind in "Mm" or is_numpy_scalar(plain):
        return b"n" + framed(f"{cell.dtype.name} {cell!s}".encode())
    return _encoded(plain)


def _array(cell: Any) -> bytes:
    return b"a" + framed(f"{cell.dtype.name} {cell.shape}".encode()) + _sequence(cell.ravel())


def _reduced(cell: object) -> bytes:
    """An object of any class, by what copying it needs: names of classes, and the parts that make it."""
    if isinstance(cell, type):
        return _name(cell)
    try:
        parts = cell.__reduce_ex__(_PROTOCOL)
    except Exception as error:
        raise InvalidInput(
            f"A cell holds a {type(cell).__module__}.{type(cell).__qualname__}, and what is in it cannot be told.",
            hint="Leave the column out, or give the digest yourself.",
        ) from error
    if isinstance(parts, str):
        return b"g" + framed(f"{type(cell).__module__} {parts}".encode())
    maker, *rest = parts
    # The last two are the items of lists and dictionaries that have a class of their own.
    return b"r" + _name(maker) + _sequence([list(part) if hasattr(part, "__next__") else part for part in rest])


def _name(thing: Any) -> bytes:
    return b"g" + framed(f"{thing.__module__} {getattr(thing, '__qualname__', thing)}".encode())
