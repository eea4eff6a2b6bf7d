"""What is deleted, and how it goes for good."""

from __future__ import annotations

# ruff: noqa: D102 - the docstrings of these methods stand in the interface
import time
from typing import TYPE_CHECKING

from dovetail import uris
from dovetail.errors import InvalidState
from dovetail.tracking.bin import Discarded
from dovetail.tracking.store import TrackingStore
from dovetail.values import LifecycleStage
from dovetail_sql.reading import ExperimentRow, run_artifacts
from dovetail_sql.stages import CONDEMNED
from dovetail_sql.store.finding import Finding, number_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from dovetail_sql.database import Transaction

__all__ = ["Discarding"]

_FOREVER = 2**63 - 1
_LONGEST_PAUSE = 0.1  # seconds


class Discarding(Finding, TrackingStore):
    """What is deleted, and how it goes for good."""

    def discarded(self, before: int | None = None) -> Sequence[Discarded]:
        limit = _FOREVER if before is None else before
        with self.database.read() as transaction:
            runs = list(self._binned_runs(transaction, limit))
            others = [*self._binned_models(transaction), *self._binned_experiments(transaction)]
        due = (each for each in others if each.condemned or each.deletion_time < limit)
        return [*runs, *sorted(due, key=lambda each: (each.kind == "experiment", each.deletion_time, each.id))]

    def condemn(self, item: Discarded) -> bool:
        identity = _identity(item)
        with self.database.write() as transaction:
            if transaction.run(f"condemn_{item.kind}", {"id": identity}):
                return True
            row = transaction.first(f"stage_of_{item.kind}", {"id": identity})
            return row is not None and row[1] == CONDEMNED

    def purge(self, item: Discarded) -> bool:
        began = time.monotonic()
        while (purged := self._purge_some(item)) is None:
            # Writers who wait for their turn get it between two slices.
            time.sleep(min(_LONGEST_PAUSE, time.monotonic() - began))
            began = time.monotonic()
        return purged

    def compact(self) -> int | None:
        return self.database.compact()

    # --- steps -----------------------------------------------------------------------------------------------

    def _binned_runs(self, transaction: Transaction, before: int) -> Iterator[Discarded]:
        root = self.database.artifact_root
        for run_id, name, experiment, uri, deleted, stage in transaction.rows("binned_runs", {"before": before}):
            place = uri or run_artifacts(uris.join(root, str(experiment)), run_id)
            yield Discarded("run", run_id, name, str(experiment), place, deleted, stage == CONDEMNED)

    def _binned_models(self, transaction: Transaction) -> Iterator[Discarded]:
        root = self.database.artifact_root
        for model_id, name, experiment, uri, deleted, stage, along, there in transaction.rows("binned_models", {}):
            place = uri or uris.join(root, str(experiment), "models", model_id, "artifacts")
            since, condemned = _since((stage, deleted), (there, along)), stage == CONDEMNED
            yield Discarded("logged_model", model_id, name, str(experiment), place, since, condemned)

    def _binned_experiments(self, transaction: Transaction) -> Iterator[Discarded]:
        for row in (ExperimentRow(*row) for row in transaction.rows("binned_experiments", {})):
            place, number = row.location(self.database.artifact_root), str(row.id)
            condemned = row.stage == CONDEMNED
            yield Discarded("experiment", number, row.name, number, place, row.deletion_time or 0, condemned)

    def _purge_some(self, item: Discarded) -> bool | None:
        """Take away as much as one transaction may; whether there was something, or None if there is more."""
        from dovetail_sql.statements.bin import PARTS

        with self.database.write() as transaction:
            row = transaction.first(f"stage_of_{item.kind}", {"id": _identity(item)})
            if row is None:
                return False
            owner, stage = row
            if stage != CONDEMNED:
                raise InvalidState(f"The {item.kind} {item.id} is not condemned.", hint="Condemn it first.")
            if item.kind == "experiment":
                _require_empty(transaction, item, owner)
            if item.kind == "run":
                transaction.run("purge_input_tags", {"owner": owner})
            for part, most in PARTS[item.kind]:
                if _purge_part(transaction, part, owner, most):
                    return None
            transaction.run(f"purge_{item.kind}", {"owner": owner})
            return True


def _purge_part(transaction: Transaction, part: str, owner: int, most: int) -> bool:
    """Delete rows of one table; whether there may be more of them."""
    found = [place for (place,) in transaction.rows(f"some_{part}", {"owner": owner, "most": most})]
    if found:
        transaction.run(f"purge_{part}", {"owner": owner, "places": transaction.listed(found)})
    return len(found) == most


def _since(*places: tuple[str, int | None]) -> int:
    """When the first of some that are in the bin went there, given the stage and deletion time of each."""
    return min(deleted or 0 for stage, deleted in places if stage != LifecycleStage.ACTIVE)


def _require_empty(transaction: Transaction, item: Discarded, owner: int) -> None:
    if transaction.first("members_of_experiment", {"owner": owner}):
        raise InvalidState(f"Experiment {item.id} still has runs or logged models.", hint="Purge those first.")


def _identity(item: Discarded) -> str | int | None:
    return number_of(item.id) if item.kind == "experiment" else item.id
