"""Tracking stores that are wrong about batches that end their runs."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from dovetail.testing.memory import MemoryTrackingStore

if TYPE_CHECKING:
    from dovetail.values import Batch, Ending, JournalMark

__all__ = ["FAULTS"]


class EndlessBatches(MemoryTrackingStore):
    """Takes no notice of how a batch ends its run."""

    def log_batch(self, run_id: str, batch: Batch, *, mark: JournalMark | None = None, ended: bool = False) -> None:
        super().log_batch(run_id, replace(batch, end=None), mark=mark, ended=ended)


class EmptyHanded(MemoryTrackingStore):
    """Sees nothing in a batch that only ends a run."""

    def log_batch(self, run_id: str, batch: Batch, *, mark: JournalMark | None = None, ended: bool = False) -> None:
        if batch.measured or batch.params or batch.tags or mark:
            super().log_batch(run_id, batch, mark=mark, ended=ended)


class NamesOfBefore(MemoryTrackingStore):
    """Ends a run as it was before the batch renamed it."""

    def _end(self, run_id: str, end: Ending) -> bool:
        name = self._names.get(run_id)
        done = super()._end(run_id, end)
        if done and name is not None:
            record = self._runs[run_id]
            self._runs[run_id] = replace(record, info=replace(record.info, run_name=name))
        return done

    def log_batch(self, run_id: str, batch: Batch, *, mark: JournalMark | None = None, ended: bool = False) -> None:
        self._names = {run_id: each.info.run_name for run_id, each in self._runs.items()}
        super().log_batch(run_id, batch, mark=mark, ended=ended)

    _names: dict[str, str] = {}  # noqa: RUF012 - each call makes another one


class HostileTakeovers(MemoryTrackingStore):
    """Lets a batch end a run that somebody else sees to."""

    def _end(self, run_id: str, end: Ending) -> bool:
        return super()._end(run_id, replace(end, holder=None))


class FirstEndHolds(MemoryTrackingStore):
    """Takes every end for a late one."""

    def _end(self, run_id: str, end: Ending) -> bool:
        return super()._end(run_id, replace(end, late=True))


class LateEndsWin(MemoryTrackingStore):
    """Takes no end for a late one."""

    def _end(self, run_id: str, end: Ending) -> bool:
        return super()._end(run_id, replace(end, late=False))


class FinalCrashes(MemoryTrackingStore):
    """Believes that what crashed can have no other end."""

    def _end(self, run_id: str, end: Ending) -> bool:
        return self._runs[run_id].info.status != "CRASHED" and super()._end(run_id, end)


class EndsAgain(MemoryTrackingStore):
    """Ends a run by a record that is stored already."""

    def log_batch(self, run_id: str, batch: Batch, *, mark: JournalMark | None = None, ended: bool = False) -> None:
        super().log_batch(run_id, batch, mark=mark, ended=ended)
        if batch.end is not None:
            self._end(run_id, batch.end)


FAULTS: dict[type[MemoryTrackingStore], str] = {
    EndlessBatches: "test_a_batch_can_end_its_run",
    EmptyHanded: "test_a_batch_of_nothing_else_ends_a_run",
    NamesOfBefore: "test_a_batch_of_nothing_else_ends_a_run",
    HostileTakeovers: "test_a_batch_ends_no_run_that_somebody_else_sees_to",
    FirstEndHolds: "test_the_later_end_holds",
    LateEndsWin: "test_but_not_one_that_comes_late",
    FinalCrashes: "test_a_late_end_is_better_than_a_crash",
    EndsAgain: "test_an_end_that_is_stored_does_not_come_again",
}
"""Every store with a fault of this kind, and the story of the suite that must catch it."""
