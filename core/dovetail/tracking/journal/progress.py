"""How the delivery of journals goes, for those who wait for it."""

from __future__ import annotations

import time
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING

from dovetail.errors import StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["AGAIN", "GRACE", "Progress", "away"]

AGAIN = 0.1
"""Seconds between two tries of somebody who waits."""
GRACE = 0.5
"""Seconds that a store has beyond the time that somebody waits, if it did not say that it cannot."""
_SAFE = (
    "Metrics, params and tags that were logged before are safe on this machine, and go there as soon as it answers. "
    "DOVETAIL_DRAIN_TIMEOUT is how many seconds calls wait for that."
)


def away(failure: StoreUnavailable) -> StoreUnavailable:
    """The same failure, with what it means to whoever waits until all that was logged has arrived.

    Whoever waits may be about to do something else at the store, of which nothing is safe: only what was logged before.
    """
    return StoreUnavailable(failure.message, hint=f"{failure.hint} {_SAFE}" if failure.hint else _SAFE)


class Bell:
    """What wakes one thread, and may be rung by whoever interrupts somebody who just rings it.

    Events and conditions hold a lock for a moment, which the handler of a signal that comes then waits for in vain.
    This queue is made for that.
    """

    def __init__(self) -> None:
        self._rings: SimpleQueue[None] = SimpleQueue()

    def ring(self) -> None:
        """Wake the thread, or let it not go to sleep."""
        self._rings.put(None)

    def wait(self, timeout: float) -> None:
        """Sleep until it rings, or so many seconds; what it rang until now is done with then."""
        with suppress(Empty):
            self._rings.get(timeout=timeout)
            while True:
                self._rings.get_nowait()


class Progress:
    """Where one thread says how it gets on, and others wait for what it has to do for them.

    Nobody waits for the store itself: it may take as long as it likes, and longer than anybody wants to wait.

    Args:
        place: What is delivered to, as errors name it.
    """

    def __init__(self, place: str) -> None:
        self.place = place
        self._bells: list[Bell] = []
        self._moves = self._tries = 0
        self._given_up = -1
        self.trouble: Exception | None = None
        """What the last try came to grief of."""

    @property
    def is_waited_for_in_vain(self) -> bool:
        """Whether somebody gave up waiting, and nothing has arrived since."""
        return self._given_up == self._moves

    def moved(self) -> None:
        """Something arrived."""
        self._moves += 1
        for bell in self._bells.copy():
            bell.ring()

    def tried(self, trouble: Exception | None = None) -> None:
        """All there was has arrived, or something kept it from that; whoever waits asks for the next try."""
        self.trouble = trouble
        self._tries += 1

    def wait(self, arrived: Callable[[], bool], ask: Callable[[], None], timeout: float) -> None:
        """Return when something has arrived.

        Args:
            arrived: Whether it has.
            ask: Asks for the next try.
            timeout: Seconds to go on if nothing arrives at all.

        Raises:
            StoreUnavailable: The store cannot be reached, or does not answer.
            Exception: Whatever else kept it from arriving.
        """
        bell = Bell()
        self._bells.append(bell)
        try:
            self._wait(bell, arrived, ask, timeout)
        finally:
            self._bells.remove(bell)

    def _wait(self, bell: Bell, arrived: Callable[[], bool], ask: Callable[[], None], timeout: float) -> None:
        moves, tries, start = self._moves, self._tries, time.monotonic()
        while not arrived():
            ask()
            bell.wait(AGAIN)
            if self._moves != moves:
                moves, start = self._moves, time.monotonic()
            elif not arrived():
                self._give_up_in_time(self.trouble if self._tries > tries else None, start, timeout)

    def _give_up_in_time(self, trouble: Exception | None, start: float, timeout: float) -> None:
        if trouble is not None and not isinstance(trouble, StoreUnavailable):
            raise trouble
        waited = time.monotonic() - start
        if waited < timeout + (GRACE if trouble is None else 0):
            return
        self._given_up = self._moves
        if trouble is None:
            raise away(StoreUnavailable(f"{self.place} has not answered for {waited:.1f} seconds."))
        raise away(trouble) from trouble
