"""Who sees to runs."""

from __future__ import annotations

# ruff: noqa: D102 - the docstrings of these methods stand in the interface
from typing import TYPE_CHECKING, Any

from dovetail.tracking.store import TrackingStore
from dovetail_sql.growth import worth_sealing
from dovetail_sql.store.finding import Finding

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dovetail.values import Ending, Lease
    from dovetail_sql.database import Transaction
    from dovetail_sql.reading import RunRow

__all__ = ["Leasing", "changes_of", "close_run", "end_run", "take_lease"]


class Leasing(Finding, TrackingStore):
    """Leases. Whoever changes one and its run locks the run first, as all who write to it do."""

    def beat(self, holder: str, seconds: float) -> None:
        with self.database.write() as transaction:
            if transaction.run("beat", {"holder": holder, "length": round(1000 * seconds)}):
                transaction.run("revive_runs", {"holder": holder})

    def reap_runs(self, holder: str | None = None, seen: int | None = None) -> Sequence[str]:
        which, those = ("lapsed", {}) if holder is None else ("held", {"holder": holder})
        with self.database.read() as transaction:
            if transaction.first(which, those) is None:
                return []  # nearly always, and nobody has to wait
        reaped = []
        with self.database.write() as transaction:
            for number, run_id, beat in transaction.rows(which, those):
                self._run(transaction, run_id)  # waits for whoever ends it, or gives it away, at this moment
                if transaction.run(f"reap_{which}", {"run": number, **those}):
                    transaction.run("crash_run", {"id": number, "new_end_time": max(beat, seen or 0)})
                    reaped.append(run_id)
        return reaped


def take_lease(transaction: Transaction, run: int, lease: Lease | None) -> None:
    """Note who has the lease of a run from now on, whoever had it."""
    if lease is not None:
        transaction.run("take_lease", {"run": run, "holder": lease.holder, "length": round(1000 * lease.seconds)})


def end_run(transaction: Transaction, row: RunRow, end: Ending) -> tuple[RunRow, bool]:
    """End a run, unless it is not this one's to end: nobody has its lease then.

    Returns:
        The run as it is now, and whether its histories are worth sealing.
    """
    ended = close_run(transaction, row, end)
    return ended, ended is not row and worth_sealing(transaction, row.id)


def close_run(transaction: Transaction, row: RunRow, end: Ending) -> RunRow:
    """The same without a look at its histories; the very row that was given if the run goes on."""
    if not end.changes(row.status) or not _end_lease(transaction, row.id, end.holder):
        return row
    ended = row._replace(status=end.status, end_time=end.end_time)
    transaction.run("update_run", changes_of(ended))
    return ended


def _end_lease(transaction: Transaction, run: int, holder: str | None) -> bool:
    """See to it that nobody has the lease of a run; False if somebody else's holds."""
    own = {"run": run, "holder": holder}
    if holder is None or not transaction.run("end_own_lease", own):  # there is one lease a run
        if holder is not None and transaction.first("lease_elsewhere", own):
            return False
        transaction.run("end_lease", {"run": run})
    return True


def changes_of(row: RunRow) -> dict[str, Any]:
    """The parameters of ``update_run`` that make a run what the row says."""
    return {"id": row.id, "new_status": row.status, "new_end_time": row.end_time}
