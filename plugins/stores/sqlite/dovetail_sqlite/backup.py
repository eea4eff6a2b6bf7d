"""Copies of a database file, made before its schema changes."""

from __future__ import annotations

import filecmp
import os
import re
import shutil
import sqlite3
import time
from contextlib import closing, suppress
from itertools import count
from typing import TYPE_CHECKING, NamedTuple

from dovetail.errors import StoreUnavailable
from dovetail_sqlite.modes import open_for_looking

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["Copy", "copy_of", "fill"]

_PAGES = 1000  # copied at one go, between which signals are let in
_PAUSE = 0.05  # seconds


class Copy(NamedTuple):
    """A copy of a database file.

    Args:
        path: Where it is.
        new: Whether it was made just now; else an upgrade that was killed has left it, or it is from times long ago.
    """

    path: Path
    new: bool


def copy_of(path: Path, version: int, timeout: float) -> Copy:
    """Copy a database file that the caller has locked against writers and has not written to yet.

    The copy appears under its name when it is complete, unless there is an equal one. What processes left that were
    killed while they copied goes.

    Args:
        path: The file.
        version: The schema version, for the name of the copy.
        timeout: Seconds to wait for locks.

    Raises:
        StoreUnavailable: Another process kept the file locked for so long.
    """
    _sweep(path)
    name = f"{path.name}.v{version}-backup"
    unfinished = path.with_name(f"{name}.{os.getpid()}")
    try:
        # A connection of its own: sqlite copies nothing from one that has begun to write.
        with closing(open_for_looking(path, timeout)) as source, closing(sqlite3.connect(unfinished)) as copy:
            fill(copy, source, timeout)
        shutil.copymode(path, unfinished)
        return _kept(unfinished, (path.with_name(f"{name}-{n}" if n else name) for n in count()))
    except OSError as error:
        raise StoreUnavailable(
            f"{path} cannot be copied before its schema changes: {error.strerror or error}.",
            hint="Make room beside it, or let it be written to.",
        ) from error
    finally:
        with suppress(OSError):  # where nothing can be written, nothing was
            unfinished.unlink(missing_ok=True)


def _sweep(path: Path) -> None:
    """Remove what was not finished: whoever has the file locked is the only one who copies it."""
    left = re.compile(re.escape(path.name) + r"\.v\d+-backup(-\d+)?\.\d+(-journal|-wal|-shm)?")
    for each in path.parent.iterdir():
        if left.fullmatch(each.name):
            with suppress(OSError):  # what cannot be removed takes up room and does no other harm
                each.unlink()


def _kept(unfinished: Path, names: Iterator[Path]) -> Copy:
    """The copy under the first of these names that is free, or its equal under one of those that are not."""
    for target in names:
        if not target.exists():
            unfinished.replace(target)
            return Copy(target, new=True)
        if _are_equal(unfinished, target):
            return Copy(target, new=False)
    raise AssertionError("The names never end.")


def _are_equal(one: Path, other: Path) -> bool:
    try:
        return filecmp.cmp(one, other, shallow=False)
    except OSError:  # what cannot be read is somebody else's
        return False


def fill(copy: sqlite3.Connection, source: sqlite3.Connection, timeout: float) -> None:
    """Copy all of a database; Ctrl-C ends it.

    Args:
        copy: Where to.
        source: Where from.
        timeout: Seconds after which a lock is given up; copying itself may take as long as it takes.

    Raises:
        StoreUnavailable: The source stayed locked.
    """
    moved = time.monotonic()

    def progress(status: int, remaining: int, total: int) -> None:
        nonlocal moved
        if status == 0:
            moved = time.monotonic()
        elif time.monotonic() - moved >= timeout:
            raise StoreUnavailable(
                f"The database stayed locked for {timeout:g} s while it was copied, {total - remaining} pages in.",
                hint="See which process holds it, or wait longer with DOVETAIL_BUSY_TIMEOUT=<seconds>.",
            )

    # sqlite's own waiting would not let signals in.
    source.execute("PRAGMA busy_timeout = 0")
    source.backup(copy, pages=_PAGES, progress=progress, sleep=_PAUSE)
