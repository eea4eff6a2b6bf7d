"""The logged models of the store."""

from __future__ import annotations

# ruff: noqa: D102 - the docstrings of these methods stand in the interface
from typing import TYPE_CHECKING, Any

from dovetail.errors import AlreadyExists, InvalidState, NotFound
from dovetail.tracking.store import TrackingStore
from dovetail.values import LifecycleStage, LoggedModelStatus, Page, ViewType
from dovetail.values.measure import now_ms
from dovetail_sql import logged_models
from dovetail_sql.database import Taken
from dovetail_sql.logged_models import LoggedModelRow
from dovetail_sql.stages import CONDEMNED
from dovetail_sql.store.finding import Finding, numbers_of, require_active

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dovetail.values import LoggedModel, NewLoggedModel, Param, Tag
    from dovetail_sql.database import Transaction

__all__ = ["LoggedModels"]


class LoggedModels(Finding, TrackingStore):
    """The logged models of the store."""

    def create_logged_model(self, model: NewLoggedModel) -> LoggedModel:
        with self.database.write() as transaction:
            experiment = self._experiment(transaction, model.experiment_id, kept=True)
            require_active(experiment)
            try:
                row = logged_models.add_model(transaction, model, experiment)
            except Taken:
                raise AlreadyExists(f"{self.database.name} has a logged model {model.model_id!r} already.") from None
            return self._read(transaction, row)

    def get_logged_model(self, model_id: str, *, allow_deleted: bool = False) -> LoggedModel:
        with self.database.read() as transaction:
            return self._read(transaction, self._model(transaction, model_id, allow_deleted=allow_deleted))

    def update_logged_model(
        self,
        model_id: str,
        *,
        status: str | None = None,
        status_message: str | None = None,
        params: Sequence[Param] = (),
        tags: Sequence[Tag] = (),
    ) -> LoggedModel:
        with self.database.write() as transaction:
            row = self._model(transaction, model_id)
            logged_models.put_params(transaction, row, params)
            logged_models.put_tags(transaction, row, tags)
            if status is not None:
                row = row._replace(status=LoggedModelStatus.check(status).value)
            if status_message is not None:
                row = row._replace(status_message=status_message)
            return self._read(transaction, _changed(transaction, row))

    def delete_logged_model_tag(self, model_id: str, key: str) -> None:
        with self.database.write() as transaction:
            row = self._model(transaction, model_id)
            if not transaction.run("delete_model_tag", {"model": row.id, "name": key}):
                raise NotFound(f"Logged model {model_id} has no tag {key!r}.")
            _changed(transaction, row)

    def delete_logged_model(self, model_id: str) -> None:
        with self.database.write() as transaction:
            row = self._model(transaction, model_id)
            _move(transaction, row, LifecycleStage.DELETED, now_ms())

    def restore_logged_model(self, model_id: str) -> None:
        with self.database.write() as transaction:
            row = self._model(transaction, model_id, allow_deleted=True)
            if self._experiment(transaction, str(row.experiment), kept=True).stage == LifecycleStage.DELETED:
                message = f"Logged model {model_id} lies in experiment {row.experiment}, which is deleted."
                raise InvalidState(message, hint="Restore the experiment first.")
            if row.stage == LifecycleStage.DELETED:
                _move(transaction, row, LifecycleStage.ACTIVE, None)

    def search_logged_models(
        self,
        experiment_ids: Sequence[str],
        filter_string: str | None = None,
        datasets: Sequence[Mapping[str, Any]] = (),
        order_by: Sequence[Mapping[str, Any] | str] = (),
        max_results: int = 1000,
        page_token: str | None = None,
        view_type: ViewType = ViewType.ACTIVE_ONLY,
    ) -> Page[LoggedModel]:
        from dovetail_sql.search import logged_model_search

        numbers = numbers_of(experiment_ids)
        root = self.database.artifact_root
        search = logged_model_search(numbers, filter_string, datasets, order_by, view_type, root)
        with self.database.read() as transaction:
            asked = {"ids": transaction.listed(sorted(numbers))}
            active = {number for (number,) in transaction.rows("active_experiments", asked)}
            found, token = search.among(active).page(transaction, max_results, page_token)
            rows = [LoggedModelRow(*row) for row in found]
            return Page(logged_models.logged_models(transaction, rows, root), token)

    # --- steps -----------------------------------------------------------------------------------------------

    def _model(self, transaction: Transaction, model_id: str, *, allow_deleted: bool = False) -> LoggedModelRow:
        found = transaction.first("logged_model", {"model_id": model_id})
        row = None if found is None else LoggedModelRow(*found)
        if row is None or row.stage == CONDEMNED or (row.stage == LifecycleStage.DELETED and not allow_deleted):
            raise NotFound(f"{self.database.name} has no logged model {model_id!r}.")
        return row

    def _read(self, transaction: Transaction, row: LoggedModelRow) -> LoggedModel:
        return logged_models.logged_models(transaction, [row], self.database.artifact_root)[0]


def _move(transaction: Transaction, row: LoggedModelRow, stage: str, deleted: int | None) -> None:
    """Put a model into the bin, or take it out."""
    new = {"new_stage": stage, "new_deletion_time": deleted}
    moment = max(now_ms(), row.last_update_time)
    transaction.run("bin_logged_model", {"id": row.id, **new, "new_last_update_time": moment})


def _changed(transaction: Transaction, row: LoggedModelRow) -> LoggedModelRow:
    """Write down how far a model is now, and when that changed."""
    row = row._replace(last_update_time=max(now_ms(), row.last_update_time))
    new = {"new_status": row.status, "new_status_message": row.status_message}
    transaction.run("update_logged_model", {"id": row.id, **new, "new_last_update_time": row.last_update_time})
    return row
