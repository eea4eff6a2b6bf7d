"""What is logged to runs."""

from __future__ import annotations

# ruff: noqa: D102 - the docstrings of these methods stand in the interface
from typing import TYPE_CHECKING

from dovetail.errors import NotFound
from dovetail.tracking.store import TrackingStore
from dovetail_sql import writing
from dovetail_sql.store.finding import require_takes
from dovetail_sql.store.leases import end_run
from dovetail_sql.store.sealing import Sealing

if TYPE_CHECKING:
    from dovetail.values import Batch, JournalMark

__all__ = ["Logging"]


class Logging(Sealing, TrackingStore):
    """Batches of metrics, params and tags."""

    def log_batch(self, run_id: str, batch: Batch, *, mark: JournalMark | None = None, ended: bool = False) -> None:
        with self.database.write() as transaction:
            # First of all: a record that was stored is done with, whatever became of its run.
            if mark is not None and not transaction.run("put_mark", mark.__dict__):
                return
            row = self._run(transaction, run_id)
            require_takes(row, batch, late=ended or mark is not None)
            added = writing.put_batch(transaction, row, batch)
            sealable = batch.end is not None and end_run(transaction, row, batch.end)[1]
        if sealable:
            self._seal_ended(run_id)
        else:
            self._seal_if_due(run_id, added)

    def delete_tag(self, run_id: str, key: str) -> None:
        with self.database.write() as transaction:
            row = self._writable(transaction, run_id)
            if not transaction.run("delete_tag", {"run": row.id, "name": key}):
                raise NotFound(f"Run {run_id} has no tag {key!r}.")

    def applied(self, writer: str) -> int:
        with self.database.read() as transaction:
            row = transaction.first("mark", {"writer": writer})
            return row[0] if row else 0
