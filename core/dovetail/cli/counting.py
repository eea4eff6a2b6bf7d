"""A count in the last line of a terminal, for work that takes long."""

from __future__ import annotations

import os
import sys
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import TracebackType

    from typing_extensions import Self

__all__ = ["Counter"]

_PATIENCE = 1.0  # seconds before anything is shown
_FRAME = 0.2  # seconds between two looks
_CLEAR = "\r\x1b[K"


class Counter:
    """Shows on standard error how many things are done, if a person sees it and it takes long; gone when it is left.

    Args:
        what: The words behind the count.
    """

    def __init__(self, what: str) -> None:
        self._what = what
        self._count = 0
        self._shown = False
        self._next = time.monotonic() + _PATIENCE
        self._seen = sys.stderr.isatty() and os.environ.get("TERM") not in ("dumb", "unknown")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._shown:
            sys.stderr.write(_CLEAR)
            sys.stderr.flush()

    def add(self, thing: object = None) -> None:
        """One more is done.

        Args:
            thing: Which; only that it is one counts.
        """
        del thing
        self._count += 1
        if self._seen and (now := time.monotonic()) >= self._next:
            self._next, self._shown = now + _FRAME, True
            sys.stderr.write(f"{_CLEAR}{self._count:,} {self._what}".replace(",", " "))
            sys.stderr.flush()
