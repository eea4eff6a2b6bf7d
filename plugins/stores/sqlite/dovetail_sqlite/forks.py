"""Forks of the process, for which transactions stop and connections close.

sqlite notes in memory which locks the process holds. A forked child gets a copy of these notes but none of the
locks: what was open at the fork it takes for locked for ever, or for its own. So nothing is to be open then.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

__all__ = ["Gate"]

_PATIENCE = 10.0  # seconds; a fork waits no longer for transactions of other threads


class Gate:
    """What all transactions of a process go through, and what is shut while it forks."""

    def __init__(self) -> None:
        self._begin_anew()
        self._inside: dict[int, tuple[str, ...]] = {}
        self._forking: int | None = None

    def passing(self, path: str) -> AbstractContextManager[None]:
        """Go through for the length of a transaction, once no other thread forks.

        Args:
            path: The file that it is on.
        """
        return _Passage(self, path)

    def enter(self, thread: int, path: str) -> None:
        """Go through."""
        with self._lock:
            # Whoever is inside already is waited for, and must not wait here in turn.
            while self._forking not in (None, thread) and thread not in self._inside:
                self._changed.wait()
            # No list that is changed: the handler of a signal may come by in between, and is gone before this goes on.
            self._inside[thread] = (*self._inside.get(thread, ()), path)

    def leave(self, thread: int) -> None:
        """Come back."""
        with self._lock:
            rest = self._inside.get(thread, ())[:-1]
            if rest:
                self._inside[thread] = rest
            else:
                self._inside.pop(thread, None)
                self._changed.notify_all()

    def shut(self) -> None:
        """Before a fork: hold up new transactions of other threads, and wait for those under way."""
        me, deadline = threading.get_ident(), time.monotonic() + _PATIENCE
        with self._lock:
            self._wait_until(lambda: self._forking in (None, me), deadline)
            self._forking = me
            self._wait_until(lambda: not self._inside.keys() - {me}, deadline)

    def reopen(self) -> None:
        """After a fork, in the parent."""
        with self._lock:
            if self._forking == threading.get_ident():
                self._forking = None
                self._changed.notify_all()

    def begin_anew(self) -> set[str]:
        """After a fork, in the child: forget the other threads, which are not here.

        Returns:
            The files that a transaction was on all the same: one of the forking thread, or one that took too long.
        """
        me, left = threading.get_ident(), self._inside
        self._begin_anew()
        # The child unwinds the transactions it was forked in, and leaves by this gate.
        self._inside = {me: left[me]} if me in left else {}
        self._forking = None
        return {path for paths in left.values() for path in paths}

    def _begin_anew(self) -> None:
        # Reentrant: a signal or the garbage collector may come back here in the same thread. And taken itself, not by
        # way of the condition: that is Python, in the midst of which Ctrl-C may come and leave it taken for good.
        self._lock = threading.RLock()
        self._changed = threading.Condition(self._lock)

    def _wait_until(self, condition: Callable[[], bool], deadline: float) -> None:
        self._changed.wait_for(condition, max(0.0, deadline - time.monotonic()))


class _Passage:
    """One way through a gate and back; a class, since generators take three times as long."""

    __slots__ = ("_gate", "_path", "_thread")

    def __init__(self, gate: Gate, path: str) -> None:
        self._gate, self._path = gate, path

    def __enter__(self) -> None:
        self._thread = threading.get_ident()
        self._gate.enter(self._thread, self._path)

    def __exit__(self, *failure: object) -> None:
        self._gate.leave(self._thread)
