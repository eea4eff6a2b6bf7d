"""What the parts of the store have in common: the database, and how they find what a call is about."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dovetail.errors import InvalidInput, NotFound, RunEnded
from dovetail.values import LifecycleStage, RunStatus
from dovetail_sql.reading import ExperimentRow, RunRow
from dovetail_sql.stages import CONDEMNED

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dovetail.values import Batch
    from dovetail_sql.database import Database, Transaction

__all__ = ["Finding", "number_of", "numbers_of", "require_active", "require_open", "require_takes"]

_LARGEST = 2**63 - 1


class Finding:
    """The base of the store's parts.

    Attributes:
        database: Where everything is.
    """

    database: Database

    def _experiment(self, transaction: Transaction, experiment_id: str, *, kept: bool = False) -> ExperimentRow:
        """The experiment of that id; with ``kept`` others may rely on it at the same time, and nobody changes it."""
        number, statement = number_of(experiment_id), "experiment_kept" if kept else "experiment"
        row = None if number is None else transaction.first(statement, {"id": number})
        if row is None or ExperimentRow(*row).stage == CONDEMNED:
            raise NotFound(f"{self.database.name} has no experiment {experiment_id!r}.")
        return ExperimentRow(*row)

    def _run(self, transaction: Transaction, run_id: str) -> RunRow:
        row = transaction.first("run", {"run_id": run_id})
        return self._known(run_id, None if row is None else RunRow(*row))

    def _known(self, run_id: str, row: RunRow | None) -> RunRow:
        """The row if there is one that nobody is about to take away for good."""
        if row is None or row.stage == CONDEMNED:
            raise NotFound(f"{self.database.name} has no run {run_id!r}.")
        return row

    def _writable(self, transaction: Transaction, run_id: str) -> RunRow:
        row = self._run(transaction, run_id)
        require_open(row, only_tags=True)
        return row


def number_of(experiment_id: str) -> int | None:
    """The number an experiment id is; None for text that is the id of none."""
    digits = isinstance(experiment_id, str) and experiment_id.isascii() and experiment_id.isdigit()
    if not digits or len(experiment_id) > len(str(_LARGEST)) or str(int(experiment_id)) != experiment_id:
        return None
    return number if (number := int(experiment_id)) <= _LARGEST else None


def numbers_of(experiment_ids: Iterable[str]) -> set[int]:
    """The numbers that experiment ids are; those that are the ids of none are left out."""
    return {number for each in experiment_ids if (number := number_of(each)) is not None}


def require_active(row: ExperimentRow) -> None:
    """Raise ``InvalidInput`` for a deleted experiment."""
    if row.stage == LifecycleStage.DELETED:
        raise InvalidInput(f"Experiment {row.id} is deleted.", hint="Restore it first.")


def require_open(row: RunRow, *, only_tags: bool) -> None:
    """Raise ``RunEnded`` for a deleted run, and for one that has ended where more than tags are written."""
    if row.stage == LifecycleStage.DELETED:
        raise RunEnded(f"Run {row.run_id} is deleted.", hint="Restore it first.")
    if row.status in RunStatus.ENDED and not only_tags:
        raise RunEnded(
            f"Run {row.run_id} has ended ({row.status}); its metrics and params stay as they are.",
            hint="Take it up again first, or start another run.",
        )


def require_takes(row: RunRow, batch: Batch, *, late: bool) -> None:
    """Raise ``RunEnded`` for a run that takes nothing like the batch any more; ``late`` if its end does not matter."""
    goes_on = row.status not in RunStatus.ENDED
    require_open(row, only_tags=goes_on or late or not (batch.measured or batch.params))
