"""Entries of many runs that are stored in one transaction."""

from __future__ import annotations

# ruff: noqa: D102 - the docstrings of these methods stand in the interface
from collections import Counter
from operator import itemgetter
from typing import TYPE_CHECKING, NamedTuple

from dovetail.errors import DovetailError, StoreError
from dovetail.tracking.store import TrackingStore
from dovetail_sql import links, writing
from dovetail_sql.growth import worth_sealing
from dovetail_sql.marks import Marks
from dovetail_sql.params import RunParams
from dovetail_sql.reading import RunRow
from dovetail_sql.store.finding import require_takes
from dovetail_sql.store.leases import close_run
from dovetail_sql.store.sealing import Sealing

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from dovetail.values import Batch, Ending, LogEntry
    from dovetail_sql.database import Transaction

__all__ = ["Groups"]


class Groups(Sealing, TrackingStore):
    """Batches of many runs at once."""

    def log_batches(self, entries: Sequence[LogEntry]) -> list[DovetailError | None]:
        if not entries:
            return []
        with self.database.write() as transaction:
            group = _Group(transaction, entries, self._known)
            refusals = [group.refusal(entry) for entry in entries]
            written = group.write()
        for run_id, added in written.added.items():
            if run_id in written.sealable:
                self._seal_ended(run_id)
            else:
                self._seal_if_due(run_id, added)
        return refusals


class _Written(NamedTuple):
    """What a group wrote.

    Args:
        added: How many points were added to the tails of histories, by run.
        sealable: The runs that ended and whose histories are worth sealing.
    """

    added: dict[str, int]
    sealable: frozenset[str]


class _Group:
    """Entries, some of which are taken.

    What may speak against one is read for all of them at once and before anything is written: the marks, then the
    runs, which others cannot change from then on. So whether an entry is refused shows without trying, and nothing
    need be taken back.

    Args:
        transaction: Where to read and write.
        entries: All that will be looked at.
        known: Gives the row of a run if there is one, else raises ``NotFound``.
    """

    def __init__(
        self, transaction: Transaction, entries: Sequence[LogEntry], known: Callable[[str, RunRow | None], RunRow]
    ) -> None:
        self._transaction, self._known = transaction, known
        marks = (entry.mark for entry in entries if entry.mark is not None)
        self._marks = Marks(transaction, list(dict.fromkeys(mark.writer for mark in marks)))
        self._runs = _rows(transaction, list(dict.fromkeys(entry.run_id for entry in entries)))
        batches = [entry.batch for entry in entries if entry.run_id in self._runs]
        models = links.models_of(batches)
        self._models = links.known_models(transaction, models)
        self._some_missing = len(self._models) < len(set(models))
        self._ids = transaction.keys.ids(transaction, writing.names_of(batches))
        owners = {entry.run_id for entry in entries if entry.batch.params} & self._runs.keys()
        self._params = RunParams(transaction, sorted(self._runs[run_id].id for run_id in owners), self._ids)
        self._taken: list[tuple[RunRow, Batch]] = []
        self._ended: dict[int, RunRow] = {}

    def refusal(self, entry: LogEntry) -> DovetailError | None:
        """Take an entry; what speaks against it, if anything does."""
        try:
            if entry.mark is None or not self._marks.passed(entry.mark):
                self._take(entry)
        except StoreError:
            raise
        except DovetailError as refusal:
            return refusal
        return None

    def write(self) -> _Written:
        """Store what was taken."""
        self._marks.write(self._transaction)
        self._params.write(self._transaction)
        rows = writing.put_batches(self._transaction, self._taken, self._ids, self._models)
        added = Counter(map(itemgetter(0), rows))
        ended = {row.run_id for row in self._ended.values() if worth_sealing(self._transaction, row.id)}
        return _Written({run.run_id: added[run.id] for run, _ in self._taken}, frozenset(ended))

    def _take(self, entry: LogEntry) -> None:
        run, batch = self._known(entry.run_id, self._runs.get(entry.run_id)), entry.batch
        require_takes(run, batch, late=entry.ended or entry.mark is not None)
        params = self._params.new(run, batch.params) if batch.params else {}
        if self._some_missing:
            links.require_models(self._models, links.models_of([batch]))
        if batch.end is not None:
            self._end(run, batch.end)
        if params:
            self._params.add(params)
        self._taken.append((run, batch))
        if entry.mark is not None:
            self._marks.note(entry.mark)

    def _end(self, run: RunRow, end: Ending) -> None:
        ended = close_run(self._transaction, run, end)
        if ended is not run:
            self._runs[run.run_id] = self._ended[run.id] = ended


def _rows(transaction: Transaction, run_ids: Sequence[str]) -> dict[str, RunRow]:
    rows = transaction.rows("runs_named", {"run_ids": transaction.listed(run_ids)})
    return {row.run_id: row for row in map(RunRow._make, rows)}
