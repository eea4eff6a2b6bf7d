"""Connections to a file, kept for the next who needs one."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING

from dovetail_sql.forking import keep

if TYPE_CHECKING:
    from dovetail_sqlite.connection import Connection

__all__ = ["IDLE", "ROOMY", "Pool"]

IDLE = 16
"""How many connections are kept while nobody uses them: to open one takes as long as a small transaction."""
ROOMY = 2
"""How many connections may keep much in memory of what their searches read; those are taken first."""


class Pool:
    """Connections that nobody uses at the moment, roomy ones on top, and all that are open."""

    def __init__(self) -> None:
        # list's methods are atomic, so threads need no lock for it, which Ctrl-C might leave taken.
        self._idle: list[Connection] = []
        self._open: set[Connection] = set()
        self._room = [True] * ROOMY
        self._closed = False
        self._process = os.getpid()

    def take(self) -> Connection | None:
        """A connection for this thread alone; None if another one has to be opened."""
        try:
            return self._idle.pop()
        except IndexError:
            return None

    def added(self, connection: Connection) -> Connection:
        """The same connection, which is given back here from now on."""
        with suppress(IndexError):
            connection.roomy = self._room.pop()
        self._open.add(connection)
        return connection

    def give(self, connection: Connection) -> None:
        """Take a connection back, if it is to be used again."""
        if os.getpid() != self._process:
            return  # a child unwinds what it was forked in
        if self._closed or not connection.lasting or connection.raw.in_transaction:
            self._drop(connection)
        elif connection.roomy:
            self._idle.append(connection)
        elif len(self._idle) < IDLE:
            self._idle.insert(0, connection)
        else:
            self._drop(connection)

    def close(self) -> None:
        """Close what is not in use, and the rest when it is given back."""
        if os.getpid() != self._process:
            keep(self)
            return
        self._closed = True
        self.rest()

    def rest(self) -> None:
        """Close what is not in use."""
        while (connection := self.take()) is not None:
            self._drop(connection)

    def _drop(self, connection: Connection) -> None:
        self._open.discard(connection)
        if connection.roomy:
            self._room.append(True)
        connection.close()
