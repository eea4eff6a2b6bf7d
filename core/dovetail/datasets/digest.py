"""Digests of data: 32 hexadecimal digits made from all of its content.

The same data has the same digest in every process and on every machine; a changed cell, column name, type or order
gives another. They are the first 128 bits of SHA-1, the fastest hash of the standard library that tells data apart, and
no protection against forgery. The content is read in blocks, so that not even a large table is ever copied whole. They
say nothing about where the data came from, and are not the digests that MLflow computes.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, TypeVar

from dovetail.datasets.cells import encoded, framed, is_missing
from dovetail.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["ROWS", "Content", "digest_of_columns", "number_heading"]

Column = TypeVar("Column")

ROWS = 1 << 15  # rows read at a time
_VALUES = 1 << 17  # values of an array read at a time
_VERSION = "dovetail dataset 1"
_DIGITS = 32
_PLAIN_SIZES = {"f": 8, "c": 16}


class Content:
    """A digest in the making; everything is added in an order of the caller's.

    Args:
        what: What kind of data it is: different kinds never have the same digest.
    """

    def __init__(self, what: str) -> None:
        self._hash = hashlib.sha1(usedforsecurity=False)
        self.word(_VERSION)
        self.word(what)

    def word(self, word: object) -> None:
        """Add a name, a type or a number, as text."""
        self.cell(str(word))

    def cell(self, cell: object) -> None:
        """Add one value.

        Raises:
            InvalidInput: Its content cannot be told.
        """
        self._hash.update(encoded(cell))

    def cells(self, cells: list[Any]) -> None:
        """Add values of any kind.

        Raises:
            InvalidInput: The content of one cannot be told.
        """
        if all(isinstance(cell, str) or is_missing(cell) for cell in cells):
            self._texts(cells)
            return
        self._hash.update(b"cells" + framed(b"".join(map(encoded, cells))))

    def numbers(self, values: Any) -> None:
        """Add the block of a numpy array of numbers, truth values, times, or texts and bytes of fixed length."""
        values = _canonical(values)
        if values.size:
            self._hash.update(memoryview(values.reshape(-1).view("u1")))

    def array(self, array: Any) -> None:
        """Add a whole numpy array with its type and shape.

        Raises:
            InvalidInput: It holds an object whose content cannot be told.
        """
        if array.dtype.fields:
            self._fields(array)
            return
        self.word(f"{number_heading(array.dtype)} {array.shape}")
        add = self.numbers if _is_plain(array.dtype) else self._objects
        for block in _blocks(array):
            add(block)

    def hexdigest(self) -> str:
        """The digest of all that was added."""
        return self._hash.hexdigest()[:_DIGITS]

    def _objects(self, block: Any) -> None:
        self.cells(list(block))  # not tolist(), which makes doubles of longer numbers

    def _fields(self, array: Any) -> None:
        # One after the other: what lies between them in memory is nobody's.
        self.word(f"fields {len(array.dtype.names)}")
        for name in array.dtype.names:
            self.word(name)
            self.array(array[name])

    def _texts(self, cells: list[Any]) -> None:
        """Texts of a column, some of which may be missing; many times faster than one by one."""
        import numpy as np

        lengths = np.array([-1 if is_missing(cell) else len(cell) for cell in cells], dtype="<i8")
        text = "".join(cell for cell in cells if isinstance(cell, str))
        self._hash.update(b"texts" + framed(lengths.tobytes()) + framed(text.encode("utf-8", "surrogatepass")))


def digest_of_columns(
    what: str, columns: Sequence[Column], rows: int, heading: Callable[[Column], Any], block: Callable[..., None]
) -> str:
    """The digest of a table.

    Args:
        what: What kind of table.
        columns: Its columns.
        rows: How many rows it has.
        heading: Gives a column's name and type.
        block: Adds the rows from ``start`` to ``stop`` of a column, called as ``block(content, column, start, stop)``.

    Raises:
        InvalidInput: The content of a cell cannot be told.
    """
    whole = Content(what)
    whole.word(f"{rows} rows {len(columns)} columns")

    contents = [Content("column") for _ in columns]
    for content, column in zip(contents, columns, strict=True):
        content.cell(heading(column))
    # By rows first: neighbouring cells of a row often lie beside each other in memory.
    for start in range(0, rows, ROWS):
        for content, column in zip(contents, columns, strict=True):
            block(content, column, start, min(start + ROWS, rows))
    for content in contents:
        whole.word(content.hexdigest())
    return whole.hexdigest()


def number_heading(dtype: Any) -> str:
    """The name of a numpy type, the same on machines that keep numbers the other way round."""
    return "object" if dtype.kind == "O" else str(dtype.newbyteorder("<").str)


def _is_plain(dtype: Any) -> bool:
    """Whether its bytes say all; longer numbers than doubles are filled up with whatever was in memory."""
    return dtype.kind in "biuMmSUV" or dtype.itemsize <= _PLAIN_SIZES.get(dtype.kind, 0)


def _canonical(values: Any) -> Any:
    """The block as bytes are compared: small end first, and one NaN instead of many."""
    import numpy as np

    values = np.ascontiguousarray(values)
    if values.dtype.kind == "c":
        values = values.view(values.real.dtype)
    if values.dtype.kind == "f" and (strange := np.isnan(values)).any():
        values = np.where(strange, values.dtype.type("nan"), values)
    return np.ascontiguousarray(values, dtype=values.dtype.newbyteorder("<"))


def _blocks(array: Any) -> Any:
    """The array's values in the order of its axes, some thousand at a time."""
    import numpy as np

    if getattr(array, "mask", None) is not None:
        raise InvalidInput("An array has a mask, which says that some of it is no data.", hint="Use its .filled().")
    if array.flags.c_contiguous:
        flat = array.reshape(-1)
        return (flat[start : start + _VALUES] for start in range(0, flat.size, _VALUES))
    return np.nditer(
        array, flags=["external_loop", "buffered", "zerosize_ok", "refs_ok"], order="C", buffersize=_VALUES
    )
