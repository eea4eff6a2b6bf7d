"""The methods of a store that deal with logged models."""

# ruff: noqa: D102 - the docstrings of these methods stand in the interface

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from dovetail.errors import AlreadyExists
from dovetail.tracking.model_changes import created, updated, with_points, without_tag
from dovetail.tracking.stages import require_restorable
from dovetail.values import LoggedModelStatus, ViewType
from dovetail.values.measure import now_ms
from dovetail_file.entries import ACTIVE, DELETED
from dovetail_file.parts import Parts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dovetail.values import LoggedModel, Metric, NewLoggedModel, Param, Tag
    from dovetail_file.entries import Entry
    from dovetail_file.models import KeptModel

__all__ = ["ModelMethods"]


class ModelMethods(Parts):
    """The methods of a store that deal with logged models."""

    def create_logged_model(self, model: NewLoggedModel) -> LoggedModel:
        with self._lock:
            self._experiments.active(model.experiment_id)
            place = self._experiments.chosen(model.experiment_id, "models", model.model_id, "artifacts")
            if not self._models.create(created(model, place)):
                raise AlreadyExists(f"{self.uri} has a logged model {model.model_id!r} already.")
            return self.get_logged_model(model.model_id)

    def get_logged_model(self, model_id: str, *, allow_deleted: bool = False) -> LoggedModel:
        with self._lock:
            return self._whole(self._models.find(model_id, allow_deleted=allow_deleted))

    def update_logged_model(
        self,
        model_id: str,
        *,
        status: str | None = None,
        status_message: str | None = None,
        params: Sequence[Param] = (),
        tags: Sequence[Tag] = (),
    ) -> LoggedModel:
        told = {
            "op": "update",
            "status": None if status is None else LoggedModelStatus.check(status).value,
            "message": status_message,
            "params": {param.key: param.value for param in params},
            "tags": {tag.key: tag.value for tag in tags},
        }

        def note(model: LoggedModel) -> dict[str, Any]:
            updated(model, status, status_message, params, tags)  # raises for what cannot be
            return {**told, "time": now_ms()}

        with self._lock:
            self._models.change(model_id, note)
            return self.get_logged_model(model_id)

    def delete_logged_model_tag(self, model_id: str, key: str) -> None:
        def note(model: LoggedModel) -> dict[str, Any]:
            without_tag(model, key)  # raises where there is none
            return {"op": "untag", "key": key, "time": now_ms()}

        with self._lock:
            self._models.change(model_id, note)

    def delete_logged_model(self, model_id: str) -> None:
        def note(model: LoggedModel) -> dict[str, Any]:
            del model
            moment = now_ms()
            return {"op": "stage", "stage": DELETED, "deleted": moment, "time": moment}

        with self._lock:
            self._models.change(model_id, note)

    def restore_logged_model(self, model_id: str) -> None:
        with self._lock:
            while True:
                kept = self._models.find(model_id, allow_deleted=True)
                require_restorable(f"Logged model {model_id}", self._experiments.get(kept.model.experiment_id))
                note = {"op": "stage", "stage": ACTIVE, "deleted": 0, "time": now_ms()}
                if kept.stage == ACTIVE or self._models.append(kept, note):
                    return

    # --- steps -----------------------------------------------------------------------------------------------

    def _models_of(self, experiment_ids: Sequence[str], view_type: ViewType) -> list[LoggedModel]:
        with self._lock:
            kept = self._experiments.kept()
            wanted = {each for each in experiment_ids if each in kept and kept[each].stage == ACTIVE}
            shown = [each for each in self._models.all() if each.stage in view_type.stages]
            return [self._whole(each) for each in shown if each.model.experiment_id in wanted]

    def _whole(self, kept: KeptModel) -> LoggedModel:
        """The model as callers see it, with its points."""
        model = kept.model
        place = self._model_place(kept)
        own = replace(model, params=dict(model.params), tags=dict(model.tags), artifact_location=place)
        return with_points(own, self._points_of(kept))

    def _model_place(self, kept: KeptModel) -> str:
        model = kept.model
        parts = "models", model.model_id, "artifacts"
        return self._experiments.place(model.experiment_id, model.artifact_location, *parts)

    def _points_of(self, kept: KeptModel) -> list[Metric]:
        runs = (self._catalogue.look(name) for name in self._models.measured_by(kept))
        return [point for run in runs if run is not None for point in run.state.points_of(kept.model.model_id)]

    def _note_measured(self, entry: Entry, metrics: Sequence[Metric]) -> None:
        """Note which models a run is about to measure.

        Raises:
            NotFound: There is no such model.
        """
        models = {each.model_id: None for each in metrics if each.model_id is not None}
        for model_id in models:
            self._models.find(model_id)
        for model_id in models:
            self._models.note_measured(model_id, entry.place.name)
