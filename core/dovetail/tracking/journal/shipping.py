"""How a recorder delivers what it appends to journals: a thread does it, and others may wait for that."""

from __future__ import annotations

import logging
import threading
import time
from contextlib import nullcontext
from typing import TYPE_CHECKING

from dovetail import settings, uris
from dovetail.errors import StoreError, StoreUnavailable
from dovetail.interrupts import give_back, is_within
from dovetail.tracking.journal.delivery import Delivery
from dovetail.tracking.journal.folder import drop_empty
from dovetail.tracking.journal.progress import AGAIN, GRACE, Bell, Progress, away
from dovetail.tracking.news import News
from dovetail.tracking.recorder import DeliveryInterrupted, Recorder

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from dovetail.tracking.journal.shipment import Shipment
    from dovetail.tracking.journal.writer import JournalWriter
    from dovetail.tracking.store import TrackingStore
    from dovetail.values import Batch

__all__ = ["FULL", "MUCH", "Shipping"]

PACE = 0.5
"""Seconds between two deliveries."""
LITTLE = 1 << 18
"""Bytes that whoever waits for them brings to the store without the thread."""
MANY = 20
"""So many deliveries without the thread are followed by one with it."""
MUCH = 4 << 20
"""Bytes that wait for delivery from which on it does not wait for its time."""
FULL = 64 << 20
"""Bytes of a journal from which on a new one is begun, once nearly all of it is delivered."""
LONGEST_PAUSE = 15.0


class Shipping(Recorder):
    """The half of a recorder that delivers; the other one begins journals and appends to them.

    The journal of a long training is closed from time to time, its rest is delivered while the next one is written, and
    then it is removed.

    Args:
        store: Where what is recorded goes.
        folder: Where journals are kept.
        full: Bytes of a journal from which on a new one is begun, once nearly all of it is delivered.
    """

    def __init__(self, store: TrackingStore, folder: Path, full: int) -> None:
        self._store, self._folder, self._full = store, folder, full
        self._naming = threading.RLock()
        """Held by who begins or ends a journal, or gives something a number in it."""
        self._start_anew()

    def _start_anew(self) -> None:
        """No journal is begun, nothing is known, nothing is to be delivered."""
        self._writer: JournalWriter | None = None
        """The journal that is appended to."""
        self._keys: dict[str, int] = {}
        """The numbers that keys have in it."""
        self._shipment: Shipment | None = None
        self._rest: Shipment | None = None
        """The journal before this one, as long as something of it is to be delivered."""
        # Whoever appends behind this tells the thread, which has to be started at first.
        self._quiet_until: float = 0
        self._thread: threading.Thread | None = None
        self._delivery = Delivery(self._store, self._folder, News(self._store.uri))
        self._progress = Progress(uris.masked(self._store.uri))
        self._delivering, self._wake = threading.RLock(), Bell()
        self._owed = 0
        self._catching_up = threading.RLock()

    @property
    def waiting(self) -> int:
        """Bytes that are not in the store yet."""
        return sum(each.waiting for each in self._shipments())

    def flush(self, timeout: float | None = None) -> None:
        """Return when everything recorded so far is in the store.

        Args:
            timeout: Seconds to go on trying where the store cannot be reached or does not answer; by default the
                setting ``drain_timeout``.

        Raises:
            StoreError: The store cannot be reached; what was recorded waits in the journal.
        """
        ends = [(each, each.writer.end) for each in self._shipments()]
        if all(each.delivered >= end for each, end in ends):
            return
        within = is_within(self._deliver)
        if within and self._delivery.is_busy_here():
            raise DeliveryInterrupted(
                f"{self._progress.place} is being written to by what was interrupted here.",
                hint="Metrics, params and tags that were logged are safe here, and go there as soon as that goes on.",
            )
        if not within and self._deliver_at_once():
            return
        if timeout is None:
            timeout = settings.get("drain_timeout")
        if within or threading.current_thread() is self._thread or not self._start():
            self._deliver_here(timeout)
        else:
            self._progress.wait(lambda: all(each.delivered >= end for each, end in ends), self._wake.ring, timeout)

    def kept(self, run_id: str, batch: Batch) -> Callable[[], None]:
        """Keep a batch, and answer with what waits for it."""
        refusals = self._delivery.refusals
        before = refusals.count
        self.record(run_id, batch)

        def wait() -> None:
            self.flush()
            refusals.require_none(before, run_id, batch)

        return wait

    def tell_refusals(self) -> None:
        """Raise the first refusal that nobody was told of."""
        self._delivery.refusals.tell()

    def close(self) -> None:
        """Deliver what waits and remove the journal; where the store is away it stays, for whoever opens it next."""
        try:
            # Who waited in vain for the end of the run need not do so once more for that of the process.
            self.flush(0 if self._progress.is_waited_for_in_vain else None)
            with self._store.at_once() or nullcontext():
                self._catch_up(GRACE)
        finally:
            delivering, catching_up = self._delivering, self._catching_up
            within = is_within(self._deliver)  # then it has its turn, and gives it back itself
            try:
                # Whoever does not answer has a piece in hand; it is delivered by whoever opens the journal next.
                if not within:
                    delivering.acquire(timeout=GRACE)
                catching_up.acquire(timeout=GRACE)
                self._end()
            finally:
                if not within:
                    give_back(delivering)
                give_back(catching_up)

    def abandon(self) -> None:
        """Begin anew in a forked child: journal, thread and locks are the parent's."""
        for each in self._shipments():
            each.abandon()
        self._naming = threading.RLock()
        self._start_anew()

    # --- steps -------------------------------------------------------------------------------------------

    def _start(self) -> bool:
        """See to it that the thread runs; False at the end of the interpreter, when none can be started any more."""
        with self._naming:
            if self._thread is None:
                self._thread = threading.Thread(target=self._go_on, name="dovetail-shipper", daemon=True)
                try:
                    self._thread.start()
                except RuntimeError:
                    self._thread = None
                    return False
                self._quiet_until = MUCH
        return True

    def _go_on(self) -> None:
        pause, wake, progress = PACE, self._wake, self._progress
        while self._wake is wake:
            wake.wait(pause)
            if self._wake is not wake:
                return
            failure = self._failure_of_delivering()
            # It is tried again, for as long as the process lives; flush() is where somebody hears about it.
            pause = PACE if failure is None else min(2 * pause, LONGEST_PAUSE)
            progress.tried(failure)
            self._catch_up()

    def _failure_of_delivering(self) -> Exception | None:
        """What kept it from being delivered; none of it may end the thread that goes on trying."""
        try:
            self._deliver()
        except StoreError as failure:
            return failure
        except Exception as failure:
            if self._progress.trouble is None:  # once, not at every try
                said = "What was logged cannot be brought to %s for now."
                logging.getLogger(__name__).exception(said, self._progress.place)
            return failure
        return None

    def _catch_up(self, timeout: float = -1) -> None:
        """Let the store do what it puts off; everything has arrived, whatever becomes of that."""
        catching_up = self._catching_up
        try:  # whoever closes the store next waits for this
            if catching_up.acquire(timeout=timeout):  # or somebody is at it, and does not get on
                self._store.catch_up()
        except Exception as failure:  # noqa: BLE001 - it may not end the thread, and is tried again
            logging.getLogger(__name__).debug("%s could not catch up: %s", self._progress.place, failure)
        finally:
            give_back(catching_up)

    def _deliver(self, *, at_once: bool = False) -> None:
        """Bring everything there is to the store."""
        delivering = self._delivering
        shipments: list[Shipment] = []
        try:
            with delivering:
                shipments = self._shipments()
                for each in shipments:
                    each.ship(self._delivery, self._moved, at_once=at_once)
                if delivering is self._delivering:
                    self._turn()
        finally:
            for each in shipments:
                if each.over:  # it was closed meanwhile: who did so left the rest to this thread
                    each.let_go()

    def _deliver_at_once(self) -> bool:
        """Deliver in this very thread, where that is little, and neither the store nor another thread holds it up.

        It takes two changes of threads less, which is what the end of a short run would spend most of its time on.
        """
        if self._store.at_once() is None or self.waiting > LITTLE:
            return False
        delivering = self._delivering
        try:
            if not delivering.acquire(blocking=False):
                return False
            self._deliver(at_once=True)
        except StoreError:
            return False  # the thread goes on trying
        finally:
            give_back(delivering)
        self._let_catch_up()
        return True

    def _let_catch_up(self) -> None:
        """Wake the thread now and then, so that the store puts off no more than it should."""
        self._owed += 1
        if self._owed >= MANY and self._start():
            self._owed = 0
            self._wake.ring()

    def _deliver_here(self, timeout: float) -> None:
        """Deliver in this very thread: no other one does, or it is the one that does."""
        deadline = time.monotonic() + timeout
        while True:
            try:
                return self._deliver()
            except StoreUnavailable as failure:
                if time.monotonic() >= deadline:
                    raise away(failure) from failure
            time.sleep(AGAIN)

    def _shipments(self) -> list[Shipment]:
        """The journals there are, the older one first."""
        # The newer one is looked at first: it becomes the older one before it is no more the newer one.
        shipment, rest = self._shipment, self._rest
        return [each for each in (rest if rest is not shipment else None, shipment) if each is not None]

    def _moved(self, shipment: Shipment) -> None:
        if shipment is self._shipment:
            self._quiet_until = shipment.delivered + MUCH
        self._progress.moved()

    def _turn(self) -> None:
        """Remove the older journal, if all of it is delivered; and begin a new one where the present one is full.

        Nobody is waited for here: a handler of a signal may wait for this thread, in the midst of what it interrupted.
        """
        if self._rest is not None:
            if self._rest.waiting:  # it became the older one just now
                return
            self._end_rest(self._rest)
        shipment = self._shipment
        if shipment is None or shipment.delivered < self._full or shipment.waiting > MUCH:
            return
        if self._naming.acquire(blocking=False):
            try:
                if shipment is self._shipment and shipment.writer.seal(wait=False):
                    self._set_aside(shipment)
            finally:
                self._naming.release()

    def _end_rest(self, rest: Shipment) -> None:
        # First of all there is room for the next one: whoever appends meanwhile may need it.
        self._rest = None
        try:
            rest.end()
        except BaseException:
            self._rest = self._rest or rest  # it is tried again
            raise

    def _set_aside(self, shipment: Shipment) -> None:
        """Make the present journal, which takes nothing more, the older one."""
        if shipment is not self._shipment:  # the handler of a signal did so meanwhile
            return
        self._rest = shipment
        # Those who append look at the journal first, and at the numbers in it then.
        self._keys, self._quiet_until = {}, MUCH
        self._shipment = self._writer = None

    def _end(self) -> None:
        """Close the journals, and begin anew; a thread that is at work on them hears of it when it is done."""
        with self._naming:
            shipments, delivering = self._shipments(), self._delivering
            self._wake.ring()
            self._start_anew()
        for each in shipments:
            each.end()
        drop_empty(self._folder)
        if shipments and delivering.acquire(blocking=False):
            for each in shipments:
                each.let_go()
            delivering.release()
