"""The database that a location means."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from dovetail_sql.database import Database

__all__ = ["open_database"]


def open_database(path: Path | None, watch: Callable[[str], None] | None = None) -> Database:
    """The database in a file, or a new one in memory; nothing is touched yet.

    Args:
        path: The file; None for memory.
        watch: Called with the name or text of each statement, for those who count.
    """
    if path is None:
        from dovetail_sqlite.memory import MemoryDatabase

        return MemoryDatabase(watch)
    from dovetail_sqlite.file import FileDatabase

    return FileDatabase(path, watch)
