"""The ways in which sqlite opens a file, and which of them works."""

from __future__ import annotations

import os
import sqlite3
from typing import TYPE_CHECKING
from urllib.parse import quote

from dovetail.errors import StoreUnavailable
from dovetail_sqlite.failures import is_held_up, is_locked, is_out_of_reach

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["empty", "open_existing", "open_for_looking", "open_for_making", "tidy"]

_WRITE_AHEAD_LIMIT = 64 << 20
_LONGEST_LOG = 4000
"""Pages of the write-ahead log (16 MB) from which on whoever commits brings them into the file himself."""


def open_existing(path: Path, timeout: float) -> tuple[sqlite3.Connection, bool]:
    """A connection to a file that is there: for writing where that is allowed, else for reading.

    Returns:
        The connection, and whether it may be used again: one to an ``immutable`` file sees no later change.

    Raises:
        sqlite3.Error: No way works.
        StoreUnavailable: It could be read only without what its last writer left in the write-ahead log.
    """
    modes = ["rw", "ro"] if os.access(path, os.W_OK) else ["ro"]
    raw, mode = _first_that_works(path, modes, timeout)
    if mode == "rw":
        _prepare_for_writing(raw)
    return raw, mode != "immutable"


def open_for_looking(path: Path, timeout: float) -> sqlite3.Connection:
    """A connection that leaves the file as it is, whosever it is.

    Only a file whose writer was killed halfway is opened for writing, as sqlite must undo that first.
    """
    return _first_that_works(path, ["ro", "rw"], timeout)[0]


def open_for_making(path: Path, timeout: float) -> sqlite3.Connection:
    """A connection to a file that may have to be made; foreign keys are not checked."""
    return _connect(path, "rwc", timeout)


def empty() -> sqlite3.Connection:
    """A connection to an empty database."""
    return sqlite3.connect(":memory:", isolation_level=None)


def tidy(path: Path, timeout: float) -> None:
    """Take away the empty log that looking leaves beside a file in write-ahead mode, where that is allowed.

    sqlite does so itself when the last connection that may write is closed, and lets it be while others are open.
    """
    log = path.with_name(f"{path.name}-wal")
    if log.exists() and not log.stat().st_size and os.access(path, os.W_OK) and os.access(path.parent, os.W_OK):
        _connect(path, "rw", timeout).close()


def _first_that_works(path: Path, modes: list[str], timeout: float) -> tuple[sqlite3.Connection, str]:
    problem: sqlite3.Error | None = None
    for mode in modes:
        try:
            return _connect(path, mode, timeout), mode
        except sqlite3.OperationalError as error:  # noqa: PERF203 - one or two turns
            # One that could only read would be kept, and refuse to write for ever.
            if not is_out_of_reach(error) or (mode == "rw" and is_held_up(error, path)):
                raise
            problem = problem or error
    # In write-ahead mode sqlite needs files beside the database even to read it, unless told that nobody writes.
    if problem is not None and not path.is_dir() and os.access(path, os.R_OK) and not os.access(path.parent, os.W_OK):
        _require_no_log(path)
        return _connect(path, "immutable", timeout), "immutable"
    raise problem or sqlite3.OperationalError("unable to open database file")


def _require_no_log(path: Path) -> None:
    log = path.with_name(f"{path.name}-wal")
    if log.exists() and log.stat().st_size:
        raise StoreUnavailable(
            f"{path} cannot be read completely: its last writer left {log.name}, and the folder may not be written to.",
            hint="Copy both files to a folder that you may write to, and open the copy.",
        )


def _connect(path: Path, mode: str, timeout: float) -> sqlite3.Connection:
    query = "mode=ro&immutable=1" if mode == "immutable" else f"mode={mode}"
    slash = "" if path.as_posix().startswith("/") else "/"  # Windows: file:/C:/…
    raw = sqlite3.connect(
        f"file:{slash}{quote(path.as_posix())}?{query}",
        timeout=timeout,
        isolation_level=None,
        check_same_thread=False,
        cached_statements=256,
        uri=True,
    )
    try:
        raw.execute("PRAGMA schema_version").fetchone()  # connecting alone does not open the file
    except BaseException:
        raw.close()
        raise
    return raw


def _prepare_for_writing(raw: sqlite3.Connection) -> None:
    raw.execute("PRAGMA foreign_keys = ON")
    raw.execute(f"PRAGMA journal_size_limit = {_WRITE_AHEAD_LIMIT}")
    raw.execute(f"PRAGMA wal_autocheckpoint = {_LONGEST_LOG}")
    # With a write-ahead log a file cannot be damaged by a power cut even if not every commit waits for the disk.
    raw.execute(f"PRAGMA synchronous = {'NORMAL' if _writes_ahead(raw) else 'FULL'}")


def _writes_ahead(raw: sqlite3.Connection) -> bool:
    """Whether the file is in write-ahead mode; one restored from elsewhere is switched to it if nobody uses it now."""
    try:
        (mode,) = raw.execute("PRAGMA journal_mode").fetchone()
        if mode != "wal":
            (mode,) = raw.execute("PRAGMA journal_mode = WAL").fetchone()
    except sqlite3.OperationalError as error:
        if not is_locked(error):
            raise
        mode = "in use"
    return bool(mode == "wal")
