"""Who sees to runs, in memory."""

# ruff: noqa: D102 - the docstrings of these methods stand in the interface

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from dovetail.tracking.store import TrackingStore
from dovetail.values import RunStatus
from dovetail.values.measure import now_ms

if TYPE_CHECKING:
    import threading
    from collections.abc import Sequence

    from dovetail.testing.records import Record
    from dovetail.values import Ending, Lease

__all__ = ["Held", "MemoryLeases"]


@dataclass(frozen=True)
class Held:
    """Who has the lease of a run.

    Args:
        holder: The process.
        beat: Its last sign of life, in milliseconds since 1970, UTC.
        until: When that does not hold any more; None if the run was taken for crashed.
    """

    holder: str
    beat: int
    until: int | None

    @property
    def holds(self) -> bool:
        """Whether it holds at this moment."""
        return self.until is not None and self.until > now_ms()


class MemoryLeases(TrackingStore):
    """Who sees to runs, in memory.

    Attributes:
        _held: The leases that somebody has, by run.
    """

    _lock: threading.RLock
    _runs: dict[str, Record]
    _held: dict[str, Held]

    def beat(self, holder: str, seconds: float) -> None:
        with self._lock:
            for run_id, held in self._held.items():
                if held.holder == holder:
                    self._held[run_id] = _held(holder, seconds)
                    self._revive(run_id)

    def reap_runs(self, holder: str | None = None, seen: int | None = None) -> Sequence[str]:
        with self._lock:
            gone = [run_id for run_id, held in self._held.items() if _is_gone(held, holder)]
            reaped = [run_id for run_id in gone if not self._runs[run_id].deleted]
            for run_id in reaped:
                held = self._held[run_id]
                self._held[run_id] = replace(held, until=None)
                self._crash(run_id, max(held.beat, seen or 0))
            return reaped

    # --- steps -----------------------------------------------------------------------------------------------

    def _take(self, run_id: str, lease: Lease | None) -> None:
        if lease is not None:
            self._held[run_id] = _held(lease.holder, lease.seconds)

    def _end(self, run_id: str, end: Ending) -> bool:
        """End a run, unless it is not this one's to end; whether that was done."""
        record = self._runs[run_id]
        if self._is_elsewhere(run_id, end.holder) or not end.changes(record.info.status):
            return False
        self._held.pop(run_id, None)
        info = replace(record.info, status=end.status, end_time=end.end_time)
        self._runs[run_id] = replace(record, info=info)
        return True

    def _is_elsewhere(self, run_id: str, holder: str | None) -> bool:
        """Whether somebody else's lease holds."""
        held = self._held.get(run_id)
        return held is not None and holder is not None and held.holder != holder and held.holds

    def _revive(self, run_id: str) -> None:
        record = self._runs[run_id]
        if record.info.status == RunStatus.CRASHED:
            info = replace(record.info, status=RunStatus.RUNNING, end_time=None)
            self._runs[run_id] = replace(record, info=info)

    def _crash(self, run_id: str, end_time: int) -> None:
        record = self._runs[run_id]
        info = replace(record.info, status=RunStatus.CRASHED, end_time=end_time)
        self._runs[run_id] = replace(record, info=info)


def _held(holder: str, seconds: float) -> Held:
    now = now_ms()
    return Held(holder, now, now + round(1000 * seconds))


def _is_gone(held: Held, holder: str | None) -> bool:
    if held.until is None:
        return False
    return held.holder == holder if holder is not None else not held.holds
