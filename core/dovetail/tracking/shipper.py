"""The recorder of runs whose logs go through a journal: a call costs an append, a thread brings it to the store."""

from __future__ import annotations

import os
import struct
import weakref
from math import inf
from time import time_ns
from typing import TYPE_CHECKING
from zlib import crc32

from dovetail import settings, uris
from dovetail.errors import ParamConflict, RunEnded, StoreError, StoreUnavailable
from dovetail.tracking.journal.records import (
    BATCH,
    HEAD,
    KEY,
    NUMBERED,
    POINT,
    POINT_BODY,
    POINT_SIZE,
    RUN,
    SEALED_POINT,
    batch_text,
    end_body,
    named,
    row_body,
)
from dovetail.tracking.journal.shipment import Shipment
from dovetail.tracking.journal.shipping import FULL, Shipping
from dovetail.tracking.journal.writer import JournalClosed, JournalWriter, begin
from dovetail.tracking.news import is_told
from dovetail.values import Batch, LifecycleStage, Metric, RunStatus

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from dovetail.tracking.store import TrackingStore
    from dovetail.values import Ending, Param, Run

__all__ = ["JournalRecorder"]


class _Known:
    """What the recorder knows of a run that it logs to.

    Args:
        params: Those it has.

    Attributes:
        journal: The one that it has a number in; None until something is logged to it.
        number: That number.
    """

    __slots__ = ("journal", "number", "params")

    def __init__(self, params: dict[str, str]) -> None:
        self.journal: JournalWriter | None = None
        self.number = 0
        self.params = params


class JournalRecorder(Shipping):
    """Appends what runs log to a journal, from which a thread brings it to the store.

    The journal of a long training is closed from time to time, its rest is delivered while the next one is written, and
    then it is removed.

    Args:
        store: Where it goes.
        folder: Where the journal is kept.
        power: Whether what is recorded survives a power cut.
        full: Bytes of a journal from which on a new one is begun, once nearly all of it is delivered.
    """

    def __init__(self, store: TrackingStore, folder: Path, *, power: bool = False, full: int = FULL) -> None:
        super().__init__(store, folder, full)
        self._power = power
        _recorders.add(self)

    def _start_anew(self) -> None:
        super()._start_anew()
        self._runs: dict[str, _Known] = {}
        self._count = 0
        self._failed = False

    # --- recording -------------------------------------------------------------------------------------------

    def point(self, run_id: str, key: str, value: float, timestamp: int | None, step: int | None) -> None:
        """Keep one point: the way that training loops take, checked as ``Metric`` checks."""
        # The journal first: if another thread closes it now, it takes nothing more, numbers of its successor included.
        writer = self._writer
        known, number = self._runs.get(run_id), self._keys.get(key) if type(key) is str else None
        if (
            number is None
            or known is None
            or known.journal is not writer
            or writer is None
            or timestamp is not None
            or type(value) is not float
            or type(step) is not int
        ):
            self.record(run_id, Batch((Metric(key, value, timestamp, step),)))
            return
        try:
            body = POINT_BODY.pack(POINT, known.number, number, time_ns() // 1_000_000, step, value)
            # How much waits is looked at now and then: whenever the journal grows.
            if writer.put(SEALED_POINT.pack(POINT_SIZE, crc32(body), body)) or self._thread is None:
                self._announce(writer.end)
        except (JournalClosed, struct.error):  # another thread closed it, or the step is out of range: it says so
            self.record(run_id, Batch((Metric(key, value, timestamp, step),)))
        except StoreError as failure:
            self._fail(failure)

    def record(self, run_id: str, batch: Batch) -> None:
        """Keep a batch of a run."""
        known = self._runs.get(run_id) or self._look_at(run_id, only_tags=not (batch.measured or batch.params))
        taken = self._take_params(run_id, known, batch.params) if batch.params else ()
        kept = False
        try:
            kept = self._append(run_id, known, batch)
        finally:
            if taken and not kept:
                for key in taken:
                    known.params.pop(key, None)

    def meet(self, run: Run) -> None:
        """Learn what a run holds from whoever just read it, and spare the store the question."""
        with self._naming:
            if run.info.run_id not in self._runs:
                self._runs[run.info.run_id] = _Known(dict(run.data.params))

    def end(self, run_id: str, end: Ending, *, always: bool = False) -> bool:
        """Keep how a run ended, if something of the run stands in the present journal."""
        known = self._runs.pop(run_id, None) or _Known({})
        stands_here = known.journal is not None and known.journal is self._writer
        if not stands_here and not always:
            return False
        try:
            return self._append(run_id, known, Batch.stored(metrics=(), params=(), tags=(), columns=(), end=end))
        except StoreError:
            if always:
                raise
            return False  # the store is told directly

    def forget(self, run_id: str) -> None:
        """The run has ended, or changes hands: the next call looks at it anew."""
        self._runs.pop(run_id, None)

    # --- steps -----------------------------------------------------------------------------------------------

    def _append(self, run_id: str, known: _Known, batch: Batch) -> bool:
        """Append a batch of a run; the run and keys may have to be named in the journal before.

        Returns:
            Whether it is kept.
        """
        try:
            while True:
                writer = self._writer or self._begin()
                try:
                    number = self._numbered(writer, run_id, known)
                    end = self._put(writer, self._body(writer, number, batch), number, batch)
                except JournalClosed:
                    self._give_up(writer)  # into the next one
                else:
                    self._announce(end)
                    return True
        except StoreError as failure:
            self._fail(failure)
            return False

    def _put(self, writer: JournalWriter, body: bytes, number: int, held: Batch | str) -> int:
        """Append a record, and remember it for whoever brings it to the store next."""
        start = writer.end
        end, shipment = writer.append(body), self._shipment
        # Unless another thread appended something at the same time: then it is read.
        if end - start == HEAD.size + len(body) and shipment is not None and shipment.writer is writer:
            shipment.memory.note(start, end, body[0], number, held)
        return end

    def _announce(self, end: int) -> None:
        """Somebody has to bring it to the store, and soon if it is much."""
        if self._thread is None:
            self._start()
        elif end > self._quiet_until:
            self._quiet_until = inf  # it has been told
            self._wake.ring()

    def _fail(self, failure: StoreError) -> None:
        """Nothing can be kept: the setting ``on_error`` says what training hears of it."""
        if settings.get("on_error") == "raise":
            raise failure
        if not self._failed:
            self._failed = True
            import warnings

            warnings.warn(f"{failure} What is logged from now on is lost. (Said once.)", stacklevel=5)

    def _give_up(self, writer: JournalWriter) -> None:
        """Append no more to a journal that was closed: another thread closed it, or what it held could not be saved.

        Raises:
            StoreUnavailable: The one before is not delivered yet; more than two are not kept.
        """
        with self._naming:
            if self._writer is not writer or self._shipment is None:
                return
            if self._rest is not None:
                raise StoreUnavailable(
                    f"The journal {writer.path} takes nothing more until the one before is delivered."
                )
            self._set_aside(self._shipment)

    def _begin(self) -> JournalWriter:
        with self._naming:
            if self._writer is None:
                writer = begin(
                    self._folder,
                    uris.masked(self._store.uri),
                    beside=self._store.journals is not None,
                    power=self._power,
                )
                shipment = _shipment_of(writer)
                if self._writer is None:
                    self._shipment, self._writer = shipment, writer
                else:  # the handler of a signal that came meanwhile has begun one
                    shipment.end()
                    shipment.let_go()
            return self._writer

    def _look_at(self, run_id: str, *, only_tags: bool) -> _Known:
        """Ask the store about a run; what it holds if the store is away shows when that is delivered."""
        try:
            run = self._store.get_run(run_id)
        except StoreUnavailable:
            params: dict[str, str] = {}
        else:
            _require_open(run, only_tags=only_tags or is_told(run_id))
            params = dict(run.data.params)
            if run.info.status in RunStatus.ENDED:
                return _Known(params)  # the next call looks at it anew: it may log more than tags
        with self._naming:
            return self._runs.setdefault(run_id, _Known(params))

    def _numbered(self, writer: JournalWriter, run_id: str, known: _Known) -> int:
        """The run's number in the journal, which has its id from the first record on that needs it."""
        with self._naming:
            if known.journal is not writer:
                number = self._next()
                self._put(writer, named(RUN, number, run_id), number, run_id)
                known.number, known.journal = number, writer
            return known.number

    def _next(self) -> int:
        """A number that nothing has, neither what the handler of a signal names meanwhile."""
        self._count = number = self._count + 1
        return number

    def _take_params(self, run_id: str, known: _Known, params: Sequence[Param]) -> Sequence[str]:
        """Note that the run has them; the keys of those that are new to it."""
        with self._naming:
            for param in params:
                held = known.params.get(param.key, param.value)
                if held != param.value:
                    raise ParamConflict(
                        f"Param {param.key!r} of run {run_id} is {held!r}, not {param.value!r}.",
                        hint="Params are written once; use another key, or a tag.",
                    )
            taken = [param.key for param in params if param.key not in known.params]
            known.params.update({param.key: param.value for param in params})
            return taken

    def _body(self, writer: JournalWriter, run: int, batch: Batch) -> bytes:
        metrics = batch.metrics
        if batch.end is not None:
            return end_body(run, batch.end)
        if not metrics or batch.params or batch.tags or batch.columns:
            return NUMBERED.pack(BATCH, run) + batch_text(batch)
        first = metrics[0]
        if any(
            each.step != first.step or each.timestamp != first.timestamp or each.model_id or each.dataset_name
            for each in metrics
        ):
            return NUMBERED.pack(BATCH, run) + batch_text(batch)
        numbered = [(self._number(writer, each.key), each.value) for each in metrics]
        if len(numbered) == 1:
            return POINT_BODY.pack(POINT, run, numbered[0][0], first.timestamp, first.step, numbered[0][1])
        return row_body(run, first.timestamp, first.step, numbered)

    def _number(self, writer: JournalWriter, key: str) -> int:
        number = self._keys.get(key)
        if number is not None:
            return number
        with self._naming:
            if key not in self._keys:
                number = self._next()
                self._put(writer, named(KEY, number, key), number, key)
                self._keys[key] = number
            return self._keys[key]


def _shipment_of(writer: JournalWriter) -> Shipment:
    """The shipment of a new journal, which is removed if it cannot be read."""
    try:
        return Shipment(writer)
    except OSError as error:
        writer.close(delivered=writer.end)
        raise StoreUnavailable(f"The journal {writer.path} cannot be read: {error.strerror}.") from error
    except StoreError:
        writer.close(delivered=writer.end)
        raise


def _require_open(run: Run, *, only_tags: bool) -> None:
    info = run.info
    if info.lifecycle_stage == LifecycleStage.DELETED:
        raise RunEnded(f"Run {info.run_id} is deleted.", hint="Restore it with restore_run() first.")
    if info.status in RunStatus.ENDED and not only_tags and not settings.get("allow_ended_runs"):
        raise RunEnded(f"Run {info.run_id} has ended ({info.status}).", hint="Take it up again with start_run().")


_recorders: weakref.WeakSet[JournalRecorder] = weakref.WeakSet()


def _abandon_all() -> None:
    for recorder in list(_recorders):
        recorder.abandon()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_abandon_all)
