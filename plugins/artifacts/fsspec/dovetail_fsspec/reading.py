"""Reading a file of a driver, with errors of dovetail."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any, BinaryIO, cast

from dovetail_fsspec.failures import translated

if TYPE_CHECKING:
    from typing_extensions import Buffer

__all__ = ["reader"]

_BUFFER = 1 << 20


def reader(file: Any, doing: str) -> BinaryIO:
    """A buffered file over one that a driver has opened.

    Args:
        file: The driver's file.
        doing: What is tried and where, to follow "Cannot" in a message.
    """
    return cast("BinaryIO", io.BufferedReader(_Driven(file, doing), _BUFFER))


class _Driven(io.RawIOBase):
    """The driver's file; a connection that breaks while reading is the store's trouble."""

    def __init__(self, file: Any, doing: str) -> None:
        self._file = file
        self._doing = doing

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return bool(self._file.seekable())

    def readinto(self, buffer: Buffer, /) -> int:
        view = memoryview(buffer).cast("B")
        with translated(self._doing, kinds=Exception):
            block = self._file.read(len(view))
        view[: len(block)] = block
        return len(block)

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        with translated(self._doing, kinds=Exception):
            return int(self._file.seek(offset, whence))

    def tell(self) -> int:
        return int(self._file.tell())

    def close(self) -> None:
        if not self.closed:
            self._file.close()
        super().close()
