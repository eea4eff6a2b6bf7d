"""Errors of the disk as errors of the store."""

from __future__ import annotations

import errno
import struct
from contextlib import contextmanager
from typing import TYPE_CHECKING

from dovetail.errors import StoreError, StoreFull, StoreReadOnly, StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["failure", "reported", "understood"]


@contextmanager
def reported(place: Path) -> Iterator[None]:
    """Raise what the disk says as an error of the store in that folder."""
    try:
        yield
    except OSError as error:
        raise failure(error, place) from error


@contextmanager
def understood(place: Path) -> Iterator[None]:
    """Raise what goes wrong while something is taken in that was read from a file, as an error of the store.

    Checksums tell what the disk or a killed process left in part; this is for what somebody else wrote.
    """
    try:
        yield
    except (KeyError, TypeError, ValueError, IndexError, AttributeError, struct.error) as error:
        raise StoreError(
            f"{place} holds something that dovetail did not write: {error!r}.", hint="Take that file out of the folder."
        ) from error


def failure(error: OSError, place: Path) -> StoreError:
    """The error of the store in a folder that an error of the disk means."""
    reason = error.strerror or str(error)
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return StoreFull(
            f"The tracking folder {place} takes no more: {reason}.", hint="Free some room; what was stored is safe."
        )
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return StoreReadOnly(
            f"The tracking folder {place} cannot be written to, or not be read: {reason}.",
            hint="See who owns it and how it is mounted.",
        )
    return StoreUnavailable(f"The tracking folder {place} cannot be used: {reason}.")
