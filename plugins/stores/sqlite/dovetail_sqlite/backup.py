"""Copies of a database file, made before its schema changes."""

from __future__ import annotations

import os
import shutil
import sqlite3
import time
from contextlib import closing
from itertools import count
from typing import TYPE_CHECKING

from dovetail.errors import StoreUnavailable
from dovetail_sqlite.modes import open_for_looking

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["copy_of", "fill"]

_PAGES = 1000  # copied at one go, between which signals are let in
_PAUSE = 0.05  # seconds


def copy_of(path: Path, version: int, timeout: float) -> Path:
    """Copy a database file that the caller has locked against writers and has not written to yet.

    The copy appears under its name when it is complete.

    Args:
        path: The file.
        version: The schema version, for the name of the copy.
        timeout: Seconds to wait for locks.

    Raises:
        StoreUnavailable: Another process kept the file locked for so long.
    """
    names = (path.with_name(f"{path.name}.v{version}-backup{f'-{n}' if n else ''}") for n in count())
    target = next(name for name in names if not name.exists())
    unfinished = target.with_name(f"{target.name}.{os.getpid()}")
    try:
        # A connection of its own: sqlite copies nothing from one that has begun to write.
        with closing(open_for_looking(path, timeout)) as source, closing(sqlite3.connect(unfinished)) as copy:
            fill(copy, source, timeout)
        shutil.copymode(path, unfinished)
        unfinished.replace(target)
    finally:
        unfinished.unlink(missing_ok=True)
    return target


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
