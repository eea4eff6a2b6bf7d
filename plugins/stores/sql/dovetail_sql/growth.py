"""How long the tails of histories are, and when they are due for ``sealing``, which takes longer to load."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dovetail_sql.database import Transaction

__all__ = ["SHORT", "SIZE", "TAIL", "Growth", "scattered", "small_blocks", "tails", "worth_sealing"]

SIZE = 4096
"""The most points in a block."""
TAIL = 16_384
"""How many points a process adds to a run's tail before it seals it."""
SHORT = 64
"""Fewer points of one key are no smaller in a block than in rows, and stay where they are."""
_SCATTERED = 4
"""How many small blocks of a key the end of a run puts together."""
_REMEMBERED = 10_000  # runs


class Growth:
    """How much this process has added to the tail of each run since it last sealed it.

    Counts may be a little off where several threads log to a run; nothing depends on them but when a tail is sealed.
    """

    def __init__(self) -> None:
        self._added: dict[str, int] = {}
        self._limits: dict[str, int] = {}

    def add(self, run_id: str, points: int) -> bool:
        """Note that points were added; whether the run is due for sealing."""
        if len(self._added) > _REMEMBERED:
            self._added, self._limits = {}, {}
        added = self._added[run_id] = self._added.get(run_id, 0) + points
        return added >= self._limits.get(run_id, TAIL)

    def settle(self, run_id: str, left: int = 0) -> None:
        """Begin to count anew.

        Args:
            run_id: The run.
            left: How many points could not be sealed yet. The next look is due when there are twice as many: looking
                costs little then, however many keys a run has.
        """
        self._added[run_id] = 0
        self._limits[run_id] = max(TAIL, left)

    def forget(self, run_id: str) -> None:
        """The run has ended."""
        self._added.pop(run_id, None)
        self._limits.pop(run_id, None)


def tails(transaction: Transaction, run: int) -> dict[int, int]:
    """How many points the tail of a run has of each key."""
    rows: list[Any] = transaction.rows("tail_lengths", {"run": run})
    return dict(rows)


def small_blocks(transaction: Transaction, run: int) -> dict[int, dict[int, int]]:
    """The blocks of a run that are not full: by key, and in it by number how many points they have."""
    small: defaultdict[int, dict[int, int]] = defaultdict(dict)
    for key, number, points in transaction.rows("small_blocks", {"run": run, "size": SIZE}):
        small[key][number] = points
    return small


def scattered(blocks: Mapping[int, int]) -> bool:
    """Whether small blocks of a key, as above, are to be put together at the end of a run though they fill no block."""
    return len(blocks) >= _SCATTERED or (len(blocks) > 1 and min(blocks.values()) < SHORT)


def worth_sealing(transaction: Transaction, run: int) -> bool:
    """Whether there is so much to seal or put together at the end of a run that it is worth a closer look."""
    if transaction.first("long_tail", {"run": run, "most": SHORT - 1}) is not None:
        lengths = tails(transaction, run).values()
        if max(lengths, default=0) >= SHORT or sum(lengths) >= SIZE:
            return True
    return any(map(scattered, small_blocks(transaction, run).values()))
