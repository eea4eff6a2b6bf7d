"""The experiments of the store."""

from __future__ import annotations

# ruff: noqa: D102 - the docstrings of these methods stand in the interface
from typing import TYPE_CHECKING

from dovetail import uris
from dovetail.errors import AlreadyExists, InvalidState, NotFound
from dovetail.tracking.store import TrackingStore
from dovetail.values import LifecycleStage, Page, Tag, ViewType
from dovetail.values.measure import now_ms
from dovetail_sql import reading
from dovetail_sql.database import Taken
from dovetail_sql.reading import ExperimentRow
from dovetail_sql.schema import given_root
from dovetail_sql.stages import CONDEMNED
from dovetail_sql.store.finding import Finding, require_active

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dovetail.values import Experiment
    from dovetail_sql.database import Transaction

__all__ = ["Experiments"]

_ACTIVE, _DELETED = LifecycleStage.ACTIVE, LifecycleStage.DELETED


class Experiments(Finding, TrackingStore):
    """Experiments."""

    def create_experiment(
        self,
        name: str,
        artifact_location: str | None = None,
        tags: Sequence[Tag] = (),
        creation_time: int | None = None,
    ) -> str:
        fields = {"name": name, "artifact_location": artifact_location, "stage": _ACTIVE}
        with self.database.write() as transaction:
            # Read while nobody else writes, so that ids and times count up together.
            time = now_ms() if creation_time is None else creation_time
            times = {"creation_time": time, "last_update_time": time}
            try:
                number = transaction.insert("add_experiment", {**fields, **times})
            except Taken:
                raise _name_taken(name) from None
            if artifact_location is None and (root := given_root(self.database)) is not None:
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
            known = [row for row in rows if row.stage != CONDEMNED]
            found = reading.experiments(transaction, known, self.database.artifact_root)
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
            require_active(row)
            _put_experiment_tags(transaction, row.id, tags)
            transaction.run("touch_experiment", {"id": row.id, "now": now_ms()})

    def delete_experiment_tag(self, experiment_id: str, key: str) -> None:
        with self.database.write() as transaction:
            row = self._experiment(transaction, experiment_id)
            if not transaction.run("delete_experiment_tag", {"id": row.id, "name": key}):
                raise NotFound(f"Experiment {experiment_id} has no tag {key!r}.")
            transaction.run("touch_experiment", {"id": row.id, "now": now_ms()})

    def _move_experiment(self, experiment_id: str, here: str, there: str, runs: str) -> None:
        with self.database.write() as transaction:
            row = self._experiment(transaction, experiment_id)
            if row.stage != here:
                raise NotFound(f"Experiment {experiment_id} is not {here}.")
            now = now_ms()
            moved = {"to_stage": there, "deletion_time": now if there == _DELETED else None}
            transaction.run("move_experiment", {"id": row.id, "now": now, **moved})
            transaction.run(runs, {"id": row.id, "now": now})


def _put_experiment_tags(transaction: Transaction, experiment: int, tags: Sequence[Tag]) -> None:
    wanted = {tag.key: tag.value for tag in tags}
    if wanted:
        transaction.many("put_experiment_tag", [(experiment, key, value) for key, value in wanted.items()])


def _name_taken(name: str) -> AlreadyExists:
    return AlreadyExists(
        f"The name {name!r} is taken by another experiment.",
        hint="Use another name; if a deleted experiment holds it, restore that one.",
    )
