"""Errors of operating systems and drivers, put into dovetail's: the one place that knows both."""

from __future__ import annotations

import errno
import re
from contextlib import contextmanager
from typing import TYPE_CHECKING

from dovetail import uris
from dovetail.errors import (
    DovetailError,
    InvalidInput,
    NotFound,
    StoreError,
    StoreFull,
    StoreReadOnly,
    StoreUnavailable,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO

__all__ = ["Source", "translated"]

# A user and password as libraries quote them from a location, without its scheme.
_CREDENTIALS = re.compile(r"""([^\s/:@"']+):[^\s/@"']+@""")

_BLOCK = 1 << 20
# EFBIG is a file-size limit of the process or of the file system: for whoever writes, that is the end of the space too.
_FULL = {errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC)}
_READ_ONLY = {errno.EROFS, errno.EACCES, errno.EPERM}
_BAD_PATH = {errno.ENAMETOOLONG, errno.EILSEQ, errno.ENOTEMPTY}


class Source:
    """The stream that a caller wants to be stored.

    It remembers the stream's own failure, which the caller gets back as it was: it is no failure of the store.
    """

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self.error: BaseException | None = None

    def blocks(self) -> Iterator[bytes]:
        """What is in the stream, in pieces."""
        while block := self._read():
            yield block

    def _read(self) -> bytes:
        try:
            return self._stream.read(_BLOCK)
        except BaseException as error:
            self.error = error
            raise


@contextmanager
def translated(
    doing: str,
    *,
    kinds: type[Exception] = OSError,
    writing: bool = False,
    source: Source | None = None,
) -> Iterator[None]:
    """Raise what goes wrong inside as a ``dovetail.errors`` class.

    Args:
        doing: What is tried and where, to follow "Cannot".
        kinds: What drivers raise; libraries for the network have errors of many families.
        writing: Whether a missing permission means that the store is read-only.
        source: The stream that is read meanwhile; its own failure goes through unchanged.
    """
    try:
        yield
    except DovetailError:
        raise
    except kinds as error:
        if source is not None and error is source.error:
            raise
        raise _ours(error, doing, writing=writing) from error


def _ours(error: Exception, doing: str, *, writing: bool) -> DovetailError:
    message = uris.masked(f"Cannot {doing}: {_reason(error)}.")
    number = error.errno if isinstance(error, OSError) else None
    if number in _FULL:
        return StoreFull(message, hint="Make room and try again; nothing of the file was left behind.")
    if isinstance(error, FileNotFoundError):
        return NotFound(message)
    if isinstance(error, PermissionError) or number in _READ_ONLY:
        return _forbidden(message, writing=writing)
    if number in _BAD_PATH or isinstance(error, (IsADirectoryError, NotADirectoryError, FileExistsError)):
        return InvalidInput(message, hint="Use another path: a file and a folder cannot have the same one.")
    return _out_of_order(error, message, writing=writing)


def _out_of_order(error: Exception, message: str, *, writing: bool) -> DovetailError:
    if isinstance(error, NotImplementedError):
        kind = StoreReadOnly if writing else StoreError
        return kind(message, hint="Choose another place for artifacts: this kind offers no such operation.")
    return StoreUnavailable(message, hint="See that the place can be reached from here, then try again.")


def _forbidden(message: str, *, writing: bool) -> DovetailError:
    if writing:
        return StoreReadOnly(message, hint="Ask for write permission, or choose another place for artifacts.")
    return StoreError(message, hint="Ask for permission to read there.")


def _reason(error: Exception) -> str:
    text = (error.strerror if isinstance(error, OSError) and error.strerror else str(error)).strip().rstrip(".")
    return _CREDENTIALS.sub(r"\1:***@", text) or type(error).__name__
