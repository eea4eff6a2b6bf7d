"""Copies of a database file, made before its schema changes."""

from __future__ import annotations

import os
import shutil
import sqlite3
from contextlib import closing
from itertools import count
from typing import TYPE_CHECKING

from dovetail_sqlite.modes import open_for_looking

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["copy_of"]


def copy_of(path: Path, version: int, timeout: float) -> Path:
    """Copy a database file that the caller has locked against writers and has not written to yet.

    The copy appears under its name when it is complete.

    Args:
        path: The file.
        version: The schema version, for the name of the copy.
        timeout: Seconds to wait for locks.
    """
    names = (path.with_name(f"{path.name}.v{version}-backup{f'-{n}' if n else ''}") for n in count())
    target = next(name for name in names if not name.exists())
    unfinished = target.with_name(f"{target.name}.{os.getpid()}")
    try:
        # A connection of its own: sqlite copies nothing from one that has begun to write.
        with closing(open_for_looking(path, timeout)) as source, closing(sqlite3.connect(unfinished)) as copy:
            source.backup(copy)
        shutil.copymode(path, unfinished)
        unfinished.replace(target)
    finally:
        unfinished.unlink(missing_ok=True)
    return target
