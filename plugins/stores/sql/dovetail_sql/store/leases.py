"""Who sees to runs."""

from __future__ import annotations

# ruff: noqa: D102 - the docstrings of these methods stand in the interface
from typing import TYPE_CHECKING

from dovetail.tracking.store import TrackingStore
from dovetail_sql.store.finding import Finding

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dovetail.values import Lease
    from dovetail_sql.database import Transaction

__all__ = ["Leasing", "take_lease"]


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
