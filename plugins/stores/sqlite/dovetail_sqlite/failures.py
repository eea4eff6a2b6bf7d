"""What goes wrong in sqlite, as errors of dovetail's: all of it passes through here."""

from __future__ import annotations

import errno
import os
import sqlite3
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from dovetail.errors import StoreError, StoreFull, StoreReadOnly, StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["failure_of", "is_held_up", "is_locked", "is_out_of_reach", "is_taken", "translated", "unwritable"]

# Python 3.10 does not tell sqlite's error codes; its messages have been the same for many years.
_LOCKED = ("database is locked", "database table is locked", "database schema is locked")
_READ_ONLY = "attempt to write a readonly database"
_CANNOT_OPEN = "unable to open database file"
_NOT_OURS = ("file is not a database", "file is encrypted or is not a database")
_DAMAGED = ("database disk image is malformed", "malformed database schema")
_IO_ERROR = "disk I/O error"
_NO_DESCRIPTORS = (errno.EMFILE, errno.ENFILE)
# Less than this, and an input-output error is put down to a full disk.
_SCARCE = 1 << 20


@contextmanager
def translated(name: str, path: Path | None, waited: float) -> Iterator[None]:
    """Turn sqlite's errors into dovetail's.

    Args:
        name: What messages call the database.
        path: Its file; None in memory.
        waited: Seconds after which a lock was given up.

    Raises:
        StoreError: Or one of its kinds, for whatever sqlite raised.
    """
    try:
        yield
    except sqlite3.Error as error:
        raise failure_of(error, name, path, waited) from error


def is_locked(error: sqlite3.Error) -> bool:
    """Whether another connection was in the way."""
    return str(error).startswith(_LOCKED)


def is_out_of_reach(error: sqlite3.Error) -> bool:
    """Whether the file cannot be opened in this way, but perhaps in another."""
    return str(error).startswith((_CANNOT_OPEN, _READ_ONLY))


def is_held_up(error: sqlite3.Error, path: Path) -> bool:
    """Whether the file could not be opened for want of descriptors: this user may open it and what lies beside it."""
    return str(error).startswith(_CANNOT_OPEN) and (_are_descriptors_gone() or _is_within_reach(path))


def _are_descriptors_gone() -> bool:
    return _trouble_with(Path(os.devnull), os.O_RDONLY) in _NO_DESCRIPTORS


def _is_within_reach(path: Path) -> bool:
    # By the time this is asked another thread may have given descriptors back.
    if os.name == "nt" or not path.is_file() or not os.access(path.parent, os.W_OK):
        return False
    beside = [path.with_name(f"{path.name}{end}") for end in ("", "-journal", "-wal", "-shm")]
    if not all(os.access(each, os.R_OK | os.W_OK) for each in beside if each.exists()):
        return False
    # Sandboxes refuse what the rights allow. Opening a file beside takes no lock of sqlite's away, unlike its own.
    return _trouble_with(beside[2], os.O_RDWR) in (None, errno.ENOENT, *_NO_DESCRIPTORS)


def _trouble_with(path: Path, flags: int) -> int | None:
    try:
        os.close(os.open(path, flags))
    except OSError as error:
        return error.errno
    return None


def is_taken(error: sqlite3.IntegrityError) -> bool:
    """Whether a row of that unique name or id exists."""
    return str(error).startswith("UNIQUE constraint failed")


def unwritable(path: Path, error: OSError) -> StoreError:
    """Why a folder for the database cannot be made or used."""
    kind: type[StoreError] = StoreError
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        kind = StoreReadOnly
    elif error.errno in (errno.ENOSPC, errno.EDQUOT):
        kind = StoreFull
    return kind(
        f"The folder {path} for a sqlite database cannot be made: {error.strerror or error}.",
        hint="Name a file in a folder that you may write to.",
    )


def failure_of(error: sqlite3.Error, name: str, path: Path | None, waited: float) -> StoreError:
    """The same for one error."""
    text = str(error)
    if is_locked(error):
        return StoreUnavailable(
            f"{name} stayed locked by another process for {waited:g} s.",
            hint="See which process holds it, or wait longer with DOVETAIL_BUSY_TIMEOUT=<seconds>.",
        )
    if text.startswith(_READ_ONLY):
        return StoreReadOnly(f"{name} may be read but not written.", hint="Check who may write to it and its folder.")
    if text.startswith("database or disk is full") or (text.startswith(_IO_ERROR) and _is_full(path)):
        return StoreFull(f"The disk that {name} lies on is full.", hint="Make room; what was stored before is intact.")
    if path is not None and is_held_up(error, path):
        return StoreUnavailable(
            f"{name} cannot be opened: too many files are open.",
            hint="Try again in a moment; `ulimit -n` says how many a process may open.",
        )
    if text.startswith((_CANNOT_OPEN, _IO_ERROR)) and path is not None:
        return _out_of_reach(name, path, text)
    return _unusable(name, text)


def _unusable(name: str, text: str) -> StoreError:
    if text.startswith(_NOT_OURS):
        return StoreError(f"{name} is not a sqlite database.", hint="Name another file; this one is left as it is.")
    if text.startswith(_DAMAGED):
        hint = "Restore it from a backup, or save what can be read with: sqlite3 FILE .recover"
        return StoreError(f"{name} is damaged ({text}).", hint=hint)
    return StoreError(f"{name} could not be used: sqlite says {text!r}.")


def _is_full(path: Path | None) -> bool:
    import shutil

    return path is not None and shutil.disk_usage(path.parent).free < _SCARCE


def _out_of_reach(name: str, path: Path, text: str) -> StoreError:
    if path.is_dir():
        return StoreError(f"{name} is a folder.", hint="Name a file in it, such as dovetail.db.")
    if text.startswith(_IO_ERROR):
        return StoreError(
            f"{name} could not be read or written: sqlite says {text!r}.", hint="Check the disk it is on."
        )
    if path.parent.is_dir() and not os.access(path.parent, os.W_OK):
        return StoreReadOnly(
            f"{name} cannot be opened for writing: its folder may not be written to.",
            hint="sqlite keeps files of its own beside the database; name one in a folder that you may write to.",
        )
    return StoreError(f"{name} cannot be opened.", hint="Check that you may read it.")
