"""Logged models in memory."""

# ruff: noqa: D102 - the docstrings of these methods stand in the interface

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from dovetail import uris
from dovetail.errors import AlreadyExists, NotFound
from dovetail.tracking.model_changes import created, updated, with_points, without_tag
from dovetail.tracking.reference_search import ReferenceSearch
from dovetail.tracking.stages import require_active, require_restorable
from dovetail.values import LifecycleStage, LoggedModel, ViewType
from dovetail.values.measure import now_ms

if TYPE_CHECKING:
    import threading
    from collections.abc import Sequence

    from dovetail.tracking.bin import Discarded
    from dovetail.values import Experiment, Metric, NewLoggedModel, Param, RunInfo, Tag

__all__ = ["MemoryLoggedModels"]


class MemoryLoggedModels(ReferenceSearch):
    """Logged models in memory.

    Attributes:
        _models: Every model by its id.
        _binned_models: When those in the bin were deleted.
        _condemned: What is being taken away, by kind and id.
    """

    _lock: threading.RLock
    _experiments: dict[str, Experiment]
    _models: dict[str, LoggedModel]
    _binned_models: dict[str, int]
    _condemned: dict[tuple[str, str], Discarded]

    def create_logged_model(self, model: NewLoggedModel) -> LoggedModel:
        with self._lock:
            experiment = self.get_experiment(model.experiment_id)
            require_active(experiment)
            if model.model_id in self._models or ("logged_model", model.model_id) in self._condemned:
                raise AlreadyExists(f"{self.uri} has a logged model {model.model_id!r} already.")
            location = uris.join(experiment.artifact_location, "models", model.model_id, "artifacts")
            self._models[model.model_id] = created(model, location)
            return self.get_logged_model(model.model_id)

    def get_logged_model(self, model_id: str, *, allow_deleted: bool = False) -> LoggedModel:
        with self._lock:
            if model_id not in self._models or (model_id in self._binned_models and not allow_deleted):
                raise NotFound(f"{self.uri} has no logged model {model_id!r}.")
            kept = self._models[model_id]
            return replace(kept, tags=dict(kept.tags), params=dict(kept.params))

    def update_logged_model(
        self,
        model_id: str,
        *,
        status: str | None = None,
        status_message: str | None = None,
        params: Sequence[Param] = (),
        tags: Sequence[Tag] = (),
    ) -> LoggedModel:
        with self._lock:
            model = updated(self.get_logged_model(model_id), status, status_message, params, tags)
            self._keep_model(model)
            return self.get_logged_model(model_id)

    def delete_logged_model_tag(self, model_id: str, key: str) -> None:
        with self._lock:
            self._keep_model(without_tag(self.get_logged_model(model_id), key))

    def delete_logged_model(self, model_id: str) -> None:
        with self._lock:
            self._keep_model(self.get_logged_model(model_id))
            self._binned_models[model_id] = now_ms()

    def restore_logged_model(self, model_id: str) -> None:
        with self._lock:
            model = self.get_logged_model(model_id, allow_deleted=True)
            require_restorable(f"Logged model {model_id}", self._experiments[model.experiment_id])
            if self._binned_models.pop(model_id, None) is not None:
                self._keep_model(model)

    # --- steps -----------------------------------------------------------------------------------------------

    def _models_of(self, experiment_ids: Sequence[str], view_type: ViewType) -> list[LoggedModel]:
        with self._lock:
            known = (self._experiments[each] for each in set(experiment_ids) if each in self._experiments)
            wanted = {each.experiment_id for each in known if each.lifecycle_stage == LifecycleStage.ACTIVE}
            ids = [each.model_id for each in self._models.values() if each.experiment_id in wanted]
            return [
                self.get_logged_model(model_id, allow_deleted=True)
                for model_id in ids
                if self._stage(model_id) in view_type.stages
            ]

    def _stage(self, model_id: str) -> str:
        return LifecycleStage.DELETED if model_id in self._binned_models else LifecycleStage.ACTIVE

    def _keep_model(self, model: LoggedModel) -> None:
        now = max(now_ms(), model.last_updated_timestamp)
        self._models[model.model_id] = replace(model, last_updated_timestamp=now)

    def _measured(self, info: RunInfo, metrics: Sequence[Metric]) -> dict[str, LoggedModel]:
        """The models that these metrics of a run are linked to, with their new points.

        Raises:
            NotFound: There is no such model.
        """
        points: dict[str, list[Metric]] = {}
        for metric in metrics:
            if metric.model_id is not None:
                points.setdefault(metric.model_id, []).append(replace(metric, run_id=info.run_id))
        return {model_id: with_points(self.get_logged_model(model_id), new) for model_id, new in points.items()}
