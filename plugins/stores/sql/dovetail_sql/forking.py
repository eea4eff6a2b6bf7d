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
        self._process = os.getpid()

    @property
    def inherited(self) -> bool:
        """Whether it belongs to the parent of this process, and must not be touched."""
        return os.getpid() != self._process

    def require_own(self) -> None:
        """Raise ``StoreError`` in a child that was forked while a transaction went on here."""
        if self.inherited:
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
