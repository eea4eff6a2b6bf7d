"""The methods of a store that deal with who sees to runs."""

# ruff: noqa: D102 - the docstrings of these methods stand in the interface

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from dovetail.errors import NotFound
from dovetail.values import LifecycleStage, RunStatus
from dovetail_file.bin_methods import BinMethods

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dovetail.values import Ending
    from dovetail_file.entries import Entry
    from dovetail_file.leases import Held

__all__ = ["LeaseMethods"]

_MS = 1_000_000


class LeaseMethods(BinMethods):
    """The methods of a store that deal with who sees to runs.

    What happens to a lease and to its run are two steps, and a process may be killed between them. So a lease of a run
    that ended may be there, and a run may be CRASHED whose lease holds: the next sign of life, or the next look for
    what lapsed, does what was left to do.
    """

    def beat(self, holder: str, seconds: float) -> None:
        with self._lock:
            for run in self._leases.beat(holder, seconds):
                self._revive(run)

    def reap_runs(self, holder: str | None = None, seen: int | None = None) -> Sequence[str]:
        with self._lock:
            gone = [self._reap(run, held, seen or 0) for run, held in self._leases.gone(holder)]
        return [run_id for run_id in gone if run_id is not None]

    # --- steps -----------------------------------------------------------------------------------------------

    def _is_ended_by(self, entry: Entry, end: Ending) -> bool:
        """Whether a run is to end by this; else somebody else sees to it, or ended it."""
        elsewhere = end.holder is not None and self._leases.is_elsewhere(entry.place.name, end.holder)
        return not elsewhere and end.changes(entry.state.status)

    def _end(self, entry: Entry, end: Ending) -> None:
        self._catalogue.change(entry, status=end.status, end=end.end_time)

    def _let_go(self, entry: Entry) -> None:
        """Nobody writes to a run any more, or sees to it."""
        self._catalogue.writers.let_go(entry.place)
        self._leases.let_go(entry.place.name)

    def _revive(self, run: str) -> None:
        entry = self._catalogue.look(run)
        if entry is not None and entry.state.status == RunStatus.CRASHED:
            with suppress(NotFound):  # taken away at this very moment
                self._catalogue.conclude(entry, status=RunStatus.RUNNING, end=None)

    def _reap(self, run: str, held: Held, seen: int) -> str | None:
        """End a run as crashed; its id if that was done here."""
        entry = self._catalogue.look(run)
        status = None if entry is None else entry.state.status
        if entry is None or (status in RunStatus.ENDED and status != RunStatus.CRASHED):
            self._leases.forget(run, held)
            return None
        if entry.stage != LifecycleStage.ACTIVE:
            return None  # it is in the bin, and stays as it is
        if status != RunStatus.CRASHED:
            try:
                self._catalogue.conclude(entry, status=RunStatus.CRASHED, end=max(held.beat // _MS, seen))
            except NotFound:  # taken away at this very moment
                return None
            self._catalogue.writers.let_go(entry.place)
        return entry.state.run_id if self._leases.lapse(run, held) else None
