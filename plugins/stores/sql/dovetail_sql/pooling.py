"""Connections to a server, kept for the next who needs one."""

from __future__ import annotations

import time
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from dovetail.errors import StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Pool", "Pooled"]

MOST = 16
"""How many connections one process has to one database at most."""
_FRESH = 10.0
"""Seconds for which an idle connection is taken to be alive without asking."""


class Pooled(Protocol):
    """A connection as a pool sees it."""

    @property
    def sound(self) -> bool:
        """Whether the next transaction may begin on it."""

    def alive(self) -> bool:
        """Ask the server whether it still knows this connection."""

    def close(self) -> None:
        """Let go of it."""


C = TypeVar("C", bound=Pooled)


class Pool(Generic[C]):
    """At most some connections; who finds none free waits.

    Args:
        name: What messages call the database.
        patience: Seconds to wait for a free one.
    """

    def __init__(self, name: str, patience: float) -> None:
        self._name = name
        self._patience = patience
        # Not a semaphore, which Ctrl-C may leave locked: it is written in Python.
        self._places: SimpleQueue[None] = SimpleQueue()
        for _ in range(MOST):
            self._places.put(None)
        # The one used last on top. list.pop and append are atomic, so threads need no lock here.
        self._idle: list[tuple[float, C]] = []
        self._closed = False

    def take(self, connect: Callable[[], C]) -> C:
        """A connection for this thread alone; it goes back by ``give``.

        Args:
            connect: What opens another one.

        Raises:
            StoreUnavailable: All were in use for too long.
        """
        self._take_place()
        try:
            return self._kept() or connect()
        except BaseException:
            self._places.put(None)
            raise

    def give(self, connection: C) -> None:
        """Take a connection back; it is closed if nothing can be done on it any more."""
        try:
            if connection.sound and not self._closed:
                self._idle.append((time.monotonic(), connection))
            else:
                connection.close()
        finally:
            self._places.put(None)

    def empty(self) -> None:
        """Close what is not in use: where one connection was lost, the others were, too."""
        while (top := self._top()) is not None:
            top[1].close()

    def close(self) -> None:
        """Close what is not in use, and the rest when it is given back."""
        self._closed = True
        self.empty()

    def _take_place(self) -> None:
        try:
            self._places.get(timeout=self._patience)
        except Empty:
            raise StoreUnavailable(
                f"All {MOST} connections to {self._name} stayed in use by other threads for {self._patience:g} s.",
                hint="Use fewer threads, or wait longer with DOVETAIL_BUSY_TIMEOUT=<seconds>.",
            ) from None

    def _kept(self) -> C | None:
        if (top := self._top()) is None:
            return None
        since, connection = top
        if time.monotonic() - since < _FRESH or connection.alive():
            return connection
        connection.close()
        self.empty()  # they have been idle for longer still
        return None

    def _top(self) -> tuple[float, C] | None:
        try:
            return self._idle.pop()
        except IndexError:
            return None
