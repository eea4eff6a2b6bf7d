"""The tracking store of every SQL engine."""

from __future__ import annotations

# ruff: noqa: D102 - the docstrings of these methods stand in the interface
from typing import TYPE_CHECKING

from dovetail import uris
from dovetail.errors import AlreadyExists, InvalidInput, InvalidState, NotFound, RunEnded
from dovetail.tracking.schema import SchemaKeeper
from dovetail.tracking.store import TrackingStore
from dovetail.values import LifecycleStage, Page, RunStatus, Tag, ViewType
from dovetail.values.measure import now_ms
from dovetail_sql import reading, writing
from dovetail_sql.database import Taken
from dovetail_sql.reading import ExperimentRow, RunRow
from dovetail_sql.schema import chosen_root

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from dovetail.tracking.schema import SchemaReport, SchemaUpgrade
    from dovetail.values import Batch, Experiment, JournalMark, Metric, NewRun, Run, RunInfo
    from dovetail_sql.database import Database, Transaction

__all__ = ["SqlTrackingStore"]

_ACTIVE, _DELETED = LifecycleStage.ACTIVE, LifecycleStage.DELETED
_LARGEST = 2**63 - 1


class SqlTrackingStore(TrackingStore, SchemaKeeper):
    """Experiments and runs in a SQL database.

    Args:
        database: The database; it brings its schema along at its first use.
    """

    def __init__(self, database: Database) -> None:
        self.database = database
        self.uri = database.uri

    # --- experiments -----------------------------------------------------------------------------------------

    def create_experiment(self, name: str, artifact_location: str | None = None, tags: Sequence[Tag] = ()) -> str:
        fields = {"name": name, "artifact_location": artifact_location, "stage": _ACTIVE}
        with self.database.write() as transaction:
            # Read while nobody else writes, so that ids and times count up together.
            now = now_ms()
            try:
                number = transaction.insert("add_experiment", {**fields, "creation_time": now, "last_update_time": now})
            except Taken:
                raise _name_taken(name) from None
            if artifact_location is None and (root := chosen_root()) is not None:
                # The id is part of the location, and only now there is one.
                transaction.run("place_experiment", {"id": number, "location": uris.join(root, str(number))})
            _put_experiment_tags(transaction, number, tags)
        return str(number)

    def get_experiment(self, experiment_id: str) -> Experiment:
        with self.database.read() as transaction:
            row = self._experiment(transaction, experiment_id)
            return reading.experiments(transaction, [row], self.database.artifact_root)[0]

    def get_experiment_by_name(self, name: str) -> Experiment | None:
        with self.database.read() as transaction:
            rows = [ExperimentRow(*row) for row in transaction.rows("experiment_named", {"name": name})]
            found = reading.experiments(transaction, rows, self.database.artifact_root)
            return found[0] if found else None

    def search_experiments(
        self,
        filter_string: str | None = None,
        order_by: Sequence[str] = (),
        view_type: ViewType = ViewType.ACTIVE_ONLY,
        max_results: int = 1000,
        page_token: str | None = None,
    ) -> Page[Experiment]:
        from dovetail_sql.search import experiment_search

        search = experiment_search(filter_string, order_by, view_type)
        with self.database.read() as transaction:
            found, token = search.page(transaction, max_results, page_token)
            rows = [ExperimentRow(*row) for row in found]
            return Page(reading.experiments(transaction, rows, self.database.artifact_root), token)

    def rename_experiment(self, experiment_id: str, name: str) -> None:
        with self.database.write() as transaction:
            row = self._experiment(transaction, experiment_id)
            if row.stage == _DELETED:
                message = f"Experiment {experiment_id} is deleted and cannot be renamed."
                raise InvalidState(message, hint="Restore it first.")
            try:
                transaction.run("rename_experiment", {"id": row.id, "new_name": name, "now": now_ms()})
            except Taken:
                raise _name_taken(name) from None

    def delete_experiment(self, experiment_id: str) -> None:
        self._move_experiment(experiment_id, _ACTIVE, _DELETED, "bin_runs")

    def restore_experiment(self, experiment_id: str) -> None:
        self._move_experiment(experiment_id, _DELETED, _ACTIVE, "unbin_runs")

    def set_experiment_tags(self, experiment_id: str, tags: Sequence[Tag]) -> None:
        with self.database.write() as transaction:
            row = self._experiment(transaction, experiment_id)
            _require_active(row)
            _put_experiment_tags(transaction, row.id, tags)
            transaction.run("touch_experiment", {"id": row.id, "now": now_ms()})

    def delete_experiment_tag(self, experiment_id: str, key: str) -> None:
        with self.database.write() as transaction:
            row = self._experiment(transaction, experiment_id)
            if not transaction.run("delete_experiment_tag", {"id": row.id, "name": key}):
                raise NotFound(f"Experiment {experiment_id} has no tag {key!r}.")
            transaction.run("touch_experiment", {"id": row.id, "now": now_ms()})

    # --- runs ------------------------------------------------------------------------------------------------

    def create_run(self, run: NewRun) -> Run:
        with self.database.write() as transaction:
            experiment = self._experiment(transaction, run.experiment_id)
            _require_active(experiment)
            try:
                return writing.add_run(transaction, run, experiment, self.database.artifact_root)
            except Taken:
                raise AlreadyExists(f"{self.database.name} has a run {run.run_id!r} already.") from None

    def get_run(self, run_id: str) -> Run:
        with self.database.read() as transaction:
            row = self._run(transaction, run_id)
            return reading.runs(transaction, [row], self.database.artifact_root)[0]

    def update_run(
        self, run_id: str, *, status: str | None = None, end_time: int | None = None, name: str | None = None
    ) -> RunInfo:
        with self.database.write() as transaction:
            row = self._writable(transaction, run_id)
            changed = _changed(row, status, end_time)._replace(name=row.name if name is None else name)
            new = {"new_name": changed.name, "new_status": changed.status, "new_end_time": changed.end_time}
            transaction.run("update_run", {"id": row.id, **new})
            if name is not None:
                writing.put_tags(transaction, changed, [Tag.stored(key=writing.RUN_NAME, value=name)])
            return reading.info_of(changed, self.database.artifact_root)

    def delete_run(self, run_id: str) -> None:
        with self.database.write() as transaction:
            row = self._run(transaction, run_id)
            if row.stage == _ACTIVE:
                transaction.run("move_run", {"id": row.id, "to_stage": _DELETED})

    def restore_run(self, run_id: str) -> None:
        with self.database.write() as transaction:
            row = self._run(transaction, run_id)
            if self._experiment(transaction, str(row.experiment)).stage == _DELETED:
                message = f"Run {run_id} lies in experiment {row.experiment}, which is deleted."
                raise InvalidState(message, hint="Restore the experiment first.")
            if row.stage == _DELETED:
                transaction.run("move_run", {"id": row.id, "to_stage": _ACTIVE})

    def search_runs(
        self,
        experiment_ids: Sequence[str],
        filter_string: str | None = None,
        order_by: Sequence[str] = (),
        view_type: ViewType = ViewType.ACTIVE_ONLY,
        max_results: int = 1000,
        page_token: str | None = None,
    ) -> Page[Run]:
        from dovetail_sql.search import run_search

        numbers = {number for each in experiment_ids if (number := _number(each)) is not None}
        search = run_search(numbers, filter_string, order_by, view_type, self.database.artifact_root)
        with self.database.read() as transaction:
            found, token = search.page(transaction, max_results, page_token)
            rows = [RunRow(*row) for row in found]
            return Page(reading.runs(transaction, rows, self.database.artifact_root), token)

    # --- what runs log ---------------------------------------------------------------------------------------

    def log_batch(self, run_id: str, batch: Batch, *, mark: JournalMark | None = None, ended: bool = False) -> None:
        with self.database.write() as transaction:
            # First of all: a record that was stored is done with, whatever became of its run.
            if mark is not None and not transaction.run("put_mark", mark.__dict__):
                return
            row = self._run(transaction, run_id)
            late = ended or mark is not None or not (batch.metrics or batch.params)
            _require_open(row, only_tags=late)
            writing.put_batch(transaction, row, batch)

    def delete_tag(self, run_id: str, key: str) -> None:
        with self.database.write() as transaction:
            row = self._writable(transaction, run_id)
            if not transaction.run("delete_tag", {"run": row.id, "name": key}):
                raise NotFound(f"Run {run_id} has no tag {key!r}.")

    def get_metric_history(
        self, run_id: str, key: str, max_results: int | None = None, page_token: str | None = None
    ) -> Page[Metric]:
        from dovetail_sql import history

        with self.database.read() as transaction:
            return history.page(transaction, run_id, key, max_results, page_token)

    def applied(self, writer: str) -> int:
        with self.database.read() as transaction:
            row = transaction.first("mark", {"writer": writer})
            return row[0] if row else 0

    # --- upkeep ----------------------------------------------------------------------------------------------

    def check_schema(self, *, quick: bool = False) -> SchemaReport:
        from dovetail_sql.upkeep import looked_at

        return looked_at(self.database, quick=quick)

    def upgrade_schema(self, progress: Callable[[str], None]) -> SchemaUpgrade:
        from dovetail_sql.upkeep import upgraded

        return upgraded(self.database, progress)

    def close(self) -> None:
        self.database.close()

    # --- steps -----------------------------------------------------------------------------------------------

    def _experiment(self, transaction: Transaction, experiment_id: str) -> ExperimentRow:
        number = _number(experiment_id)
        row = None if number is None else transaction.first("experiment", {"id": number})
        if row is None:
            raise NotFound(f"{self.database.name} has no experiment {experiment_id!r}.")
        return ExperimentRow(*row)

    def _move_experiment(self, experiment_id: str, here: str, there: str, runs: str) -> None:
        with self.database.write() as transaction:
            row = self._experiment(transaction, experiment_id)
            if row.stage != here:
                raise NotFound(f"Experiment {experiment_id} is not {here}.")
            transaction.run("move_experiment", {"id": row.id, "to_stage": there, "now": now_ms()})
            transaction.run(runs, {"id": row.id})

    def _run(self, transaction: Transaction, run_id: str) -> RunRow:
        row = transaction.first("run", {"run_id": run_id})
        if row is None:
            raise NotFound(f"{self.database.name} has no run {run_id!r}.")
        return RunRow(*row)

    def _writable(self, transaction: Transaction, run_id: str) -> RunRow:
        row = self._run(transaction, run_id)
        _require_open(row, only_tags=True)
        return row


def _number(experiment_id: str) -> int | None:
    """The number an experiment id is; None for text that is the id of none."""
    digits = isinstance(experiment_id, str) and experiment_id.isascii() and experiment_id.isdigit()
    if not digits or len(experiment_id) > len(str(_LARGEST)) or str(int(experiment_id)) != experiment_id:
        return None
    return number if (number := int(experiment_id)) <= _LARGEST else None


def _changed(row: RunRow, status: str | None, end_time: int | None) -> RunRow:
    if status is None:
        return row if end_time is None else row._replace(end_time=end_time)
    if status not in RunStatus.ENDED:
        return row._replace(status=status, end_time=None)
    return row._replace(status=status, end_time=now_ms() if end_time is None else end_time)


def _put_experiment_tags(transaction: Transaction, experiment: int, tags: Sequence[Tag]) -> None:
    if tags:
        transaction.many("put_experiment_tag", [(experiment, tag.key, tag.value) for tag in tags])


def _name_taken(name: str) -> AlreadyExists:
    return AlreadyExists(
        f"The name {name!r} is taken by another experiment.",
        hint="Use another name; if a deleted experiment holds it, restore that one.",
    )


def _require_active(row: ExperimentRow) -> None:
    if row.stage == _DELETED:
        raise InvalidInput(f"Experiment {row.id} is deleted.", hint="Restore it first.")


def _require_open(row: RunRow, *, only_tags: bool) -> None:
    if row.stage == _DELETED:
        raise RunEnded(f"Run {row.run_id} is deleted.", hint="Restore it first.")
    if row.status in RunStatus.ENDED and not only_tags:
        raise RunEnded(
            f"Run {row.run_id} has ended ({row.status}); its metrics and params stay as they are.",
            hint="Take it up again first, or start another run.",
        )
