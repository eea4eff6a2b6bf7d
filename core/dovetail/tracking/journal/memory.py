"""What was appended to a journal a moment ago, which need not be read from it to be brought to the store."""

from __future__ import annotations

import time
from collections import deque
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from dovetail.values import Batch

__all__ = ["Appended", "Memory"]

_MOST = 64
"""How many records are remembered: a short run has fewer, and long ones are read faster than they are remembered."""
_LARGEST = 1 << 18
"""Bytes of records that are worth that; more of them are read as columns."""
_FRESH = 1.0
"""Seconds after which a record is read instead: only there it says when tags were set."""


class Appended(NamedTuple):
    """A record, and where it stands.

    Args:
        start: Where it begins.
        end: Where the next one does.
        kind: One of ``records.KINDS``.
        number: The number of the run or key that it is about.
        held: What it says: a batch, or the name of the run or key.
        when: When it was appended, in seconds of ``time.monotonic``.
    """

    start: int
    end: int
    kind: int
    number: int
    held: Batch | str
    when: float


class Memory:
    """The last records of a journal, as whoever appended them remembers them."""

    def __init__(self) -> None:
        self._records: deque[Appended] = deque(maxlen=_MOST)

    def note(self, start: int, end: int, kind: int, number: int, held: Batch | str) -> None:
        """Remember a record; of threads that append at once one may stand before the other without being noted so."""
        self._records.append(Appended(start, end, kind, number, held, time.monotonic()))

    def between(self, start: int, end: int) -> list[Appended]:
        """All records between two places; none if not all of them are remembered, or not freshly, or they are many."""
        if end - start > _LARGEST:
            return []
        found = [each for each in self._records.copy() if start <= each.start and each.end <= end]
        place = start
        for each in found:
            if each.start != place:
                return []
            place = each.end
        fresh = found and time.monotonic() - found[0].when < _FRESH
        return found if fresh and place == end else []

    def forget(self, place: int) -> None:
        """Forget what stands before a place, and is in the store by now."""
        records = self._records
        if len(records) and records[-1].end == place:
            # Another thread may note one at this moment: then that is read.
            records.clear()
        while records and records[0].end <= place:
            records.popleft()
