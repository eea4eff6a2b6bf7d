"""Group commit: what many clients log at the same time is stored together.

Each commit costs about the same, whatever is in it. While one goes on, what comes in meanwhile gathers, and goes into
the next one: nobody waits for a timer, and the busier the server is the larger the groups are.

One thread does it. Little is stored by the event loop itself, where the store promises to wait for nobody: a change of
threads there and back costs more than the commit. As soon as somebody else holds the store up, it is the thread's turn.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from concurrent.futures import Future
from contextlib import suppress
from functools import partial
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, NamedTuple

from dovetail.errors import DovetailError, StoreError, StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from dovetail.tracking.store import TrackingStore
    from dovetail.values import LogEntry

    _Answers = list[tuple[Callable[[BaseException | None], None], BaseException | None]]

__all__ = ["Busy", "Committer"]

MOST_WAITING = 20_000
"""Entries that may wait; who brings more is sent away for a moment."""
MOST_POINTS = 2_000_000
"""Points and other values that may wait."""
GROUP = 512
"""Entries of one commit."""
GROUP_POINTS = 50_000
LITTLE = 1000
"""Points and other values that the event loop stores itself: some milliseconds."""
ROUNDS = 8
"""Turns of the event loop that it waits for more, as long as each brings some."""
PACE = 0.5
"""Seconds after which the thread does what the store put off while the event loop wrote to it."""


_log = logging.getLogger("dovetail.server")


class Busy(StoreUnavailable):
    """More is coming in than can be stored."""

    status = 429
    error_code = "REQUEST_LIMIT_EXCEEDED"
    retry_after = 1


class _Waiting(NamedTuple):
    entry: LogEntry
    points: int
    loop: asyncio.AbstractEventLoop | None
    """Where whoever waits is told; None for a thread that waits itself."""
    told: Callable[[BaseException | None], None]


class Committer:
    """Stores what is logged, in groups.

    Args:
        store: Gives the store, when there is something to store.
        most: Entries that may wait.
    """

    def __init__(self, store: Callable[[], TrackingStore], most: int = MOST_WAITING) -> None:
        self._store, self._most = store, most
        self._waiting: list[_Waiting] = []
        self._points = 0
        self._lock = threading.Lock()
        self._bell: SimpleQueue[None] = SimpleQueue()
        self._asleep = self._over = False
        self._begun: asyncio.AbstractEventLoop | None = None  # the one that is about to store what waits
        self._due: float | None = None  # when the thread does what was put off
        self._thread: threading.Thread | None = None
        self.groups, self.entries = 0, 0
        """How many commits there were, and of how much."""

    async def commit(self, entry: LogEntry) -> None:
        """Store an entry; returns when it is committed.

        Raises:
            Busy: Too much waits already.
            DovetailError: What the store refuses it for.
        """
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.put(entry, partial(_settle, done))
        await done

    def put(self, entry: LogEntry, told: Callable[[BaseException | None], None]) -> None:
        """Store an entry; to be called in an event loop.

        Args:
            entry: It.
            told: Called in this event loop when it is committed, with None, or with what it was refused for.

        Raises:
            Busy: Too much waits already.
        """
        loop = asyncio.get_running_loop()
        self._put([_Waiting(entry, len(entry.batch), loop, told)], loop)

    def commit_all(self, entries: Sequence[LogEntry]) -> list[DovetailError | None]:
        """Store several, and wait for it; to be called in a thread that has no event loop.

        Returns:
            For each the error that it is refused with, or None.

        Raises:
            Busy: Too much waits already; none is stored.
            StoreError: The store cannot take them now; it is not known which ones are stored.
        """
        waiting: list[Future[None]] = [Future() for _ in entries]
        self._put(
            [
                _Waiting(entry, len(entry.batch), None, partial(_settle, done))
                for entry, done in zip(entries, waiting, strict=True)
            ],
            None,
        )
        answers = [done.exception() for done in waiting]
        return [_refusal(each) for each in answers]

    def close(self, timeout: float | None = None) -> None:
        """Store what waits, and take nothing more.

        Args:
            timeout: Seconds that it may take.
        """
        with self._lock:
            self._over = True
        self._bell.put(None)
        if self._thread is not None:
            self._thread.join(timeout)

    # --- steps -----------------------------------------------------------------------------------------------

    def _put(self, waiting: list[_Waiting], loop: asyncio.AbstractEventLoop | None) -> None:
        points = sum(each.points for each in waiting)
        with self._lock:
            if self._over:
                raise StoreUnavailable("The server is being stopped.")
            if len(self._waiting) + len(waiting) > self._most or self._points + points > MOST_POINTS:
                raise Busy(
                    f"{len(self._waiting)} log requests wait already.", hint="Try again in a moment, or log less often."
                )
            self._waiting += waiting
            self._points += points
            if self._thread is None:
                self._thread = threading.Thread(target=self._go_on, name="dovetail-committer", daemon=True)
                self._thread.start()
        if loop is None:
            self._hand_over([])
        elif self._asleep and self._begun is not loop:
            self._begun = loop
            loop.call_soon(self._begin, loop, 0, ROUNDS)

    def _begin(self, loop: asyncio.AbstractEventLoop, before: int, rounds: int) -> None:
        """Store what waits if it is little; else, and where that cannot be done without waiting, wake the thread.

        Args:
            loop: The event loop that this is called in.
            before: How many entries waited a moment ago: what comes in at the same time goes into the same commit.
            rounds: How often it may be put off for that.
        """
        if before < len(self._waiting) and rounds and self._asleep and self._points <= LITTLE:
            loop.call_soon(self._begin, loop, len(self._waiting), rounds - 1)
            return
        self._begun = None
        with self._lock:
            if not self._asleep:
                return
            group = self._taken() if self._points <= LITTLE and self.groups else []
        if group and (outcomes := self._outcomes_at_once(group)) is not None:
            self._count(group)
            _answer(group, outcomes, here=loop)
            self._put_off()
            group = []
        self._hand_over(group)

    def _hand_over(self, group: list[_Waiting]) -> None:
        """Wake the thread, if there is something for it to do."""
        with self._lock:
            self._waiting[:0] = group
            self._points += sum(each.points for each in group)
            if not self._asleep or not self._waiting:
                return
            self._asleep = False
        self._bell.put(None)

    def _put_off(self) -> None:
        """Leave it to the thread to let the store catch up."""
        if self._due is None:
            self._due = time.monotonic() + PACE
            self._bell.put(None)

    def _go_on(self) -> None:
        while group := self._next():
            self._count(group)
            _answer(group, self._outcomes(group))
        if self._due is not None:
            self._catch_up()

    def _next(self) -> list[_Waiting]:
        """What goes into the next commit; nothing when it is all over."""
        while True:
            with self._lock:
                self._asleep = not self._waiting and not self._over
                if not self._asleep:
                    return self._taken()
            try:
                self._bell.get(timeout=None if self._due is None else max(0.0, self._due - time.monotonic()))
            except Empty:
                self._catch_up()

    def _catch_up(self) -> None:
        """Let the store do what it puts off; it is tried again, and what is logged does not depend on it."""
        self._due = None
        try:
            self._store().catch_up()
        except Exception as failure:  # noqa: BLE001 - it may not end the thread
            _log.debug("The store could not catch up: %s", failure)

    def _count(self, group: list[_Waiting]) -> None:
        self.groups += 1
        self.entries += len(group)

    def _taken(self) -> list[_Waiting]:
        count = points = 0
        for each in self._waiting[:GROUP]:
            if count and points + each.points > GROUP_POINTS:
                break
            count += 1
            points += each.points
        group, self._waiting = self._waiting[:count], self._waiting[count:]
        self._points -= points
        return group

    def _outcomes(self, group: list[_Waiting]) -> Sequence[BaseException | None]:
        try:
            return self._store().log_batches([each.entry for each in group])
        except Exception as failure:  # noqa: BLE001 - it is told to everybody who waits, and may not end the thread
            return [failure] * len(group)

    def _outcomes_at_once(self, group: list[_Waiting]) -> Sequence[BaseException | None] | None:
        """The same without waiting for anybody; None where that cannot be done, and nothing is stored."""
        store = self._store()
        if (hurry := store.at_once()) is None:
            return None
        try:
            with hurry:
                return store.log_batches([each.entry for each in group])
        except StoreUnavailable:
            return None
        except Exception as failure:  # noqa: BLE001 - as above
            return [failure] * len(group)


def _refusal(answer: BaseException | None) -> DovetailError | None:
    """What one entry was refused with; trouble of the store's own is raised."""
    if answer is None or (isinstance(answer, DovetailError) and not isinstance(answer, StoreError)):
        return answer
    raise answer


def _answer(
    group: list[_Waiting],
    outcomes: Sequence[BaseException | None],
    here: asyncio.AbstractEventLoop | None = None,
) -> None:
    """Tell everybody; one call for each event loop but the one that this is called in, none for threads."""
    answers: dict[asyncio.AbstractEventLoop | None, _Answers] = {}
    for each, outcome in zip(group, outcomes, strict=True):
        answers.setdefault(each.loop, []).append((each.told, outcome))
    for loop, outcomes_there in answers.items():
        if loop is None or loop is here:
            _tell(outcomes_there)
            continue
        with suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(_tell, outcomes_there)


def _tell(answers: _Answers) -> None:
    for told, outcome in answers:
        try:
            told(outcome)
        except Exception:  # noqa: BLE001, PERF203 - the others are told all the same
            _log.exception("An answer could not be sent")


def _settle(done: asyncio.Future[None] | Future[None], outcome: BaseException | None) -> None:
    if done.done():  # the client has gone
        return
    if outcome is None:
        done.set_result(None)
    else:
        done.set_exception(outcome)
