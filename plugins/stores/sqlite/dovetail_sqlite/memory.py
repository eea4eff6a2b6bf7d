"""A database in memory, for as long as its store object lives."""

from __future__ import annotations

import os
import sqlite3
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from weakref import finalize

from dovetail import uris
from dovetail.errors import StoreError
from dovetail_sql.database import Database
from dovetail_sql.schema import prepare
from dovetail_sqlite.compiled import DEFINITIONS
from dovetail_sqlite.connection import Connection
from dovetail_sqlite.failures import translated

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from dovetail_sqlite.connection import SqliteTransaction

__all__ = ["MemoryDatabase"]


class MemoryDatabase(Database):
    """One connection that all threads take turns with; artifacts go below the working folder of its making.

    Args:
        watch: Called with the name or text of each statement.
    """

    uri = "sqlite://"
    name = "The sqlite database in memory"
    plugin = "dovetail-sqlite"
    lasting = False

    def __init__(self, watch: Callable[[str], None] | None = None) -> None:
        self.artifact_root = uris.uri_of(Path.cwd() / "dovetail-artifacts")
        self._process = os.getpid()
        self._lock = threading.RLock()
        self._prepared = False
        raw = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
        self._connection = Connection(raw, watch=watch)
        finalize(self, _close, self._connection, self._process)
        with translated(self.name, None, 0):
            raw.execute("PRAGMA foreign_keys = ON")

    @contextmanager
    def read(self) -> Iterator[SqliteTransaction]:
        """A transaction that sees one state."""
        with self.write() as transaction:
            yield transaction

    @contextmanager
    def write(self) -> Iterator[SqliteTransaction]:
        """A transaction that writes."""
        if os.getpid() != self._process:
            raise StoreError(
                "A sqlite database in memory belongs to the process that opened it, and this is a forked child.",
                hint="Use a file: sqlite:///dovetail.db",
            )
        with self._lock:
            if not self._prepared:
                prepare(self)
                self._prepared = True
            with self.plain() as transaction:
                yield transaction

    @contextmanager
    def plain(self) -> Iterator[SqliteTransaction]:
        """A transaction on the database as it is."""
        with self._lock, translated(self.name, None, 0), self._connection.transaction("BEGIN IMMEDIATE") as transaction:
            yield transaction

    @contextmanager
    def exclusive(self) -> Iterator[SqliteTransaction]:
        """A transaction for changing the schema."""
        with self.plain() as transaction:
            yield transaction

    def definitions(self) -> Sequence[str]:
        """The statements that create all tables and indexes."""
        return DEFINITIONS

    def close(self) -> None:
        """Let go of the memory."""
        _close(self._connection, self._process)


def _close(connection: Connection, process: int) -> None:
    if os.getpid() == process:
        connection.close()
