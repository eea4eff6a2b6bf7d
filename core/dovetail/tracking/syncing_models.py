"""Bringing logged models into a store, and the points that were measured on them."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from dovetail.errors import AlreadyExists, NotFound, RunEnded
from dovetail.tracking.syncing_runs import checked
from dovetail.values import Batch, LoggedModelStatus, Metric, NewLoggedModel, Param, Tag

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dovetail.tracking.store import TrackingStore
    from dovetail.tracking.syncing_files import Files
    from dovetail.tracking.syncing_plan import Target
    from dovetail.tracking.syncing_report import SyncReport
    from dovetail.tracking.syncing_source import Source
    from dovetail.values import LoggedModel

__all__ = ["Models"]


class Models:
    """Brings logged models from a source into a store.

    Args:
        source: Where from.
        store: Where to.
        report: Told what was done.
        files: Copies artifacts; None if they stay where they are.
    """

    def __init__(self, source: Source, store: TrackingStore, report: SyncReport, files: Files | None) -> None:
        self._source, self._store, self._report, self._files = source, store, report, files

    def bring(self, experiment_id: str, target: Target) -> None:
        """Bring the models of an experiment, without what was measured on them.

        Args:
            experiment_id: The source's.
            target: The destination's.
        """
        for model in self._source.models(experiment_id):
            with self._report.refusing("logged_model", model.model_id):
                self._bring(model, target)

    def measure(self, experiment_id: str) -> None:
        """Tie points to the models that they were measured on, now that their runs are there."""
        for model in self._source.models(experiment_id):
            if model.metrics:
                with self._report.refusing("logged_model", model.model_id):
                    self._measure(model)

    # --- steps -----------------------------------------------------------------------------------------------

    def _bring(self, model: LoggedModel, target: Target) -> None:
        there = self._there(model)
        if there is None:
            self._create(model, target)
        else:
            self._complete(model, there)

    def _there(self, model: LoggedModel) -> LoggedModel | None:
        try:
            return self._store.get_logged_model(model.model_id)
        except NotFound:
            return None

    def _create(self, model: LoggedModel, target: Target) -> None:
        if target.id is None or self._report.dry_run:
            self._report.models_created += 1
            if self._files is not None:
                self._files.count(model.artifact_location, target.place, model.model_id)
            return
        new = NewLoggedModel(
            experiment_id=target.id,
            name=model.name,
            model_id=model.model_id,
            source_run_id=model.source_run_id,
            model_type=model.model_type,
            creation_timestamp=model.creation_timestamp,
            params=tuple(self._params(model, model.params)),
            tags=tuple(checked(self._report, "tag", model.model_id, model.tags, Tag)),
        )
        try:
            there = self._store.create_logged_model(new)
        except AlreadyExists:
            if (found := self._there(model)) is None:
                self._report.refuse("logged_model", model.model_id, "It was deleted at the destination.")
            else:  # another synchronization was faster
                self._complete(model, found)
            return
        self._copy(model, there)
        # Last of all: one that was broken off before is not taken for whole.
        self._store.update_logged_model(model.model_id, status=model.status, status_message=model.status_message)
        self._report.models_created += 1

    def _complete(self, model: LoggedModel, there: LoggedModel) -> None:
        for key, value in model.params.items():
            if (held := there.params.get(key, value)) != value:
                reason = f"Param {key!r} is {held!r} there, and {value!r} here."
                self._report.refuse("param", model.model_id, reason)
        params = {key: value for key, value in model.params.items() if key not in there.params}
        tags = {key: value for key, value in model.tags.items() if key not in there.tags}
        self._report.kept += sum(there.tags.get(key, value) != value for key, value in model.tags.items())
        finished = there.status == LoggedModelStatus.PENDING != model.status
        before = self._report.files
        self._copy(model, there)
        if (params or tags or finished) and not self._report.dry_run:
            self._store.update_logged_model(
                model.model_id,
                status=model.status if finished else None,
                status_message=model.status_message if finished else None,
                params=tuple(self._params(model, params)),
                tags=tuple(checked(self._report, "tag", model.model_id, tags, Tag)),
            )
        self._report.models_updated += bool(params or tags or finished or self._report.files > before)

    def _params(self, model: LoggedModel, params: dict[str, str]) -> Iterable[Param]:
        return checked(self._report, "param", model.model_id, params, Param)

    def _copy(self, model: LoggedModel, there: LoggedModel) -> None:
        if self._files is not None:
            self._files.copy(model.artifact_location, there.artifact_location, model.model_id)

    # --- what was measured -----------------------------------------------------------------------------------

    def _measure(self, model: LoggedModel) -> None:
        if (there := self._there(model)) is None:
            return  # it was refused, which is noted
        known = {_identity(point) for point in there.metrics}
        lacking: dict[str, list[Metric]] = {}
        for point in model.metrics:
            if point.run_id is not None and _identity(point) not in known:
                lacking.setdefault(point.run_id, []).append(point)
        for run_id, points in lacking.items():
            self._tie(model.model_id, run_id, points)

    def _tie(self, model_id: str, run_id: str, points: list[Metric]) -> None:
        tied = tuple(_tied(point, model_id) for point in points)
        # Points go with their runs: where one was not sent, or is deleted on either side, they have no place.
        with suppress(NotFound, RunEnded):
            self._store.log_batch(run_id, Batch(tied), ended=True)


def _identity(point: Metric) -> tuple[object, ...]:
    value = None if point.value != point.value else point.value
    return point.run_id, point.key, point.timestamp, point.step, value, point.dataset_name, point.dataset_digest


def _tied(point: Metric, model_id: str) -> Metric:
    dataset = (point.dataset_name, point.dataset_digest)
    return Metric(point.key, point.value, point.timestamp, point.step, model_id, *dataset)
