"""The runs of the store, and their search."""

from __future__ import annotations

# ruff: noqa: D102 - the docstrings of these methods stand in the interface
from typing import TYPE_CHECKING, Any

from dovetail.errors import AlreadyExists, InvalidState
from dovetail.tracking.store import TrackingStore
from dovetail.values import Ending, LifecycleStage, Page, RunStatus, Tag, ViewType
from dovetail.values.measure import now_ms
from dovetail_sql import links, reading, writing
from dovetail_sql.database import Taken
from dovetail_sql.reading import RunRow
from dovetail_sql.store.finding import numbers_of, require_active
from dovetail_sql.store.leases import Leasing, changes_of, end_run, take_lease
from dovetail_sql.store.sealing import Sealing
from dovetail_sql.tags import RUN_NAME, put_tags

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dovetail.values import Lease, NewRun, Run, RunInfo
    from dovetail_sql.database import Transaction
    from dovetail_sql.search import Search

__all__ = ["Runs"]

_ACTIVE, _DELETED = LifecycleStage.ACTIVE, LifecycleStage.DELETED


class Runs(Sealing, Leasing, TrackingStore):
    """Runs."""

    def create_run(self, run: NewRun) -> Run:
        with self.database.write() as transaction:
            experiment = self._experiment(transaction, run.experiment_id, kept=True)
            require_active(experiment)
            try:
                number, created = writing.add_run(transaction, run, experiment, self.database.artifact_root)
            except Taken:
                raise AlreadyExists(f"{self.database.name} has a run {run.run_id!r} already.") from None
            take_lease(transaction, number, run.lease)
            return created

    def get_run(self, run_id: str) -> Run:
        with self.database.read() as transaction:
            row = self._run(transaction, run_id)
            return reading.run(transaction, row, self.database.artifact_root)

    def update_run(
        self,
        run_id: str,
        *,
        status: str | None = None,
        end_time: int | None = None,
        name: str | None = None,
        lease: Lease | None = None,
    ) -> RunInfo:
        with self.database.write() as transaction:
            row, sealable = self._writable(transaction, run_id), False
            if status in RunStatus.ENDED:
                end = Ending(
                    status, now_ms() if end_time is None else end_time, None if lease is None else lease.holder
                )
                changed, sealable = end_run(transaction, row, end)
                if changed is row:
                    return reading.info_of(row, self.database.artifact_root)
            else:
                take_lease(transaction, row.id, lease)
                changed = _changed(row, status, end_time)
                transaction.run("update_run", changes_of(changed))
            if name is not None:
                put_tags(transaction, [(changed, [Tag(RUN_NAME, name)])])
                changed = changed._replace(name=name)
        if sealable:
            self._seal_ended(run_id)
        return reading.info_of(changed, self.database.artifact_root)

    def delete_run(self, run_id: str) -> None:
        with self.database.write() as transaction:
            row = self._run(transaction, run_id)
            if row.stage == _ACTIVE:
                transaction.run("bin_run", {"id": row.id, "to_stage": _DELETED, "deletion_time": now_ms()})

    def restore_run(self, run_id: str) -> None:
        with self.database.write() as transaction:
            row = self._run(transaction, run_id)
            if self._experiment(transaction, str(row.experiment)).stage == _DELETED:
                message = f"Run {run_id} lies in experiment {row.experiment}, which is deleted."
                raise InvalidState(message, hint="Restore the experiment first.")
            if row.stage == _DELETED:
                transaction.run("bin_run", {"id": row.id, "to_stage": _ACTIVE, "deletion_time": None})

    def search_runs(
        self,
        experiment_ids: Sequence[str],
        filter_string: str | None = None,
        order_by: Sequence[str] = (),
        view_type: ViewType = ViewType.ACTIVE_ONLY,
        max_results: int = 1000,
        page_token: str | None = None,
        columns: Sequence[str] | None = None,
    ) -> Page[Run]:
        from dovetail_sql.projecting import Projection

        root = self.database.artifact_root
        projection = None if columns is None else Projection(columns, root)
        search = self._search(experiment_ids, filter_string, order_by, view_type)
        with self.database.read() as transaction:
            rows, token = _page(transaction, search, max_results, page_token)
            found = projection.runs(transaction, rows) if projection else reading.runs(transaction, rows, root)
            return Page(found, token)

    def search_run_rows(
        self,
        experiment_ids: Sequence[str],
        columns: Sequence[str],
        filter_string: str | None = None,
        order_by: Sequence[str] = (),
        view_type: ViewType = ViewType.ACTIVE_ONLY,
        max_results: int = 1000,
        page_token: str | None = None,
    ) -> Page[tuple[Any, ...]]:
        from dovetail_sql.projecting import Projection

        projection = Projection(columns, self.database.artifact_root, single=True)
        search = self._search(experiment_ids, filter_string, order_by, view_type)
        with self.database.read() as transaction:
            rows, token = _page(transaction, search, max_results, page_token)
            return Page(projection.rows(transaction, rows), token)

    def count_runs(
        self,
        experiment_ids: Sequence[str],
        filter_string: str | None = None,
        view_type: ViewType = ViewType.ACTIVE_ONLY,
    ) -> int:
        search = self._search(experiment_ids, filter_string, (), view_type)
        with self.database.read() as transaction:
            return search.count(transaction)

    def _search(
        self, experiment_ids: Sequence[str], text: str | None, order_by: Sequence[str], view_type: ViewType
    ) -> Search:
        # Only here SQLAlchemy is imported.
        from dovetail_sql.search import run_search

        return run_search(numbers_of(experiment_ids), text, order_by, view_type, self.database.artifact_root)

    def move_run(self, run_id: str, experiment_id: str) -> None:
        with self.database.write() as transaction:
            row = self._writable(transaction, run_id)
            experiment = self._experiment(transaction, experiment_id)
            require_active(experiment)
            if row.experiment == experiment.id:
                return
            # Its artifacts stay where they are, so from now on it says itself where that is.
            place = reading.info_of(row, self.database.artifact_root).artifact_uri
            there = {"run": row.id, "to_experiment": experiment.id}
            transaction.run("move_run", {**there, "to_uri": place})
            transaction.run("copy_datasets", there)
            links.fill_datasets(transaction, transaction.rows("datasets_to_fill", there))
            for statement in ("move_run_inputs", "move_model_metric"):
                transaction.run(statement, there)


def _page(transaction: Transaction, search: Search, most: int, token: str | None) -> tuple[list[RunRow], str | None]:
    found, behind = search.page(transaction, most, token)
    return [RunRow(*row) for row in found], behind


def _changed(row: RunRow, status: str | None, end_time: int | None) -> RunRow:
    if status is None:
        return row if end_time is None else row._replace(end_time=end_time)
    return row._replace(status=status, end_time=None)
