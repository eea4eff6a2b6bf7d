"""Connections that a forked child finds open: they are its parent's.

Two processes on one connection confuse whoever is at the other end, and closing it would say goodbye in the parent's
name. So a child leaves them alone, and keeps them: to forget one would be to close it.
"""

from __future__ import annotations

import os
from typing import Any

from dovetail.errors import StoreError

__all__ = ["ProcessBound", "keep"]

_kept: list[Any] = []
_forks = 0
"""How many forks lie between this process and the first one. Each statement asks whether there was one, since a process
may fork in the middle of a transaction, and asking the system for the process's id takes ten times as long."""


def _count() -> None:
    global _forks  # noqa: PLW0603 - the process's state
    _forks += 1


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_count)


def keep(inherited: Any) -> None:
    """Keep something of the parent's for as long as this process lives, such that it is never closed."""
    _kept.append(inherited)


class ProcessBound:
    """A connection that only the process uses that opened it.

    Args:
        raw: The driver's connection.
    """

    def __init__(self, raw: Any) -> None:
        self.raw = raw
        self._forks, self._process = _forks, os.getpid()

    @property
    def inherited(self) -> bool:
        """Whether it belongs to the parent of this process, and must not be touched."""
        return os.getpid() != self._process

    def require_own(self) -> None:
        """Raise ``StoreError`` in a child that was forked while a transaction went on here."""
        if self._forks != _forks:
            raise StoreError(
                "This process was forked in the middle of a transaction, which only its parent can go on with.",
                hint="Fork outside of transactions, or start processes by multiprocessing's method 'spawn'.",
            )

    def close(self) -> None:
        """Let go of it."""
        if self.inherited:
            keep(self.raw)
        else:
            self.raw.close()
