"""Logged models that are remembered as what they are; inputs, outputs and what models hold go nowhere."""

# ruff: noqa: D102 - the docstrings of these methods stand in the interface

from __future__ import annotations

from abc import abstractmethod
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from dovetail import settings, uris
from dovetail.errors import AlreadyExists, InvalidState, NotFound
from dovetail.tracking.filters import parse_datasets, parse_filter, parse_order
from dovetail.tracking.store import TrackingStore
from dovetail.values import DEFAULT_EXPERIMENT_ID, LifecycleStage, LoggedModel, LoggedModelStatus, Page, ViewType
from dovetail.values.measure import now_ms

if TYPE_CHECKING:
    import threading
    from collections.abc import Mapping, Sequence

    from dovetail.values import DatasetInput, LoggedModelInput, LoggedModelOutput, NewLoggedModel, Param, Run, Tag
    from dovetail_null.recent import Recent

__all__ = ["NullLoggedModels"]


class NullLoggedModels(TrackingStore):
    """Remembers the latest logged models of this process, without what is logged to them later.

    An id it does not know is taken for that of another process's model.

    Attributes:
        _models: The models, those in the bin included.
        _binned_models: The ids of those in the bin.
    """

    _models: Recent[LoggedModel]
    _binned_models: Recent[str]

    def log_inputs(
        self, run_id: str, datasets: Sequence[DatasetInput] = (), models: Sequence[LoggedModelInput] = ()
    ) -> None:
        """Drop them, if neither the run nor one of the models is deleted."""
        del datasets
        self._not_deleted(run_id)
        for each in models:
            self.get_logged_model(each.model_id)

    def log_outputs(self, run_id: str, models: Sequence[LoggedModelOutput]) -> None:
        """Drop them, if neither the run nor one of the models is deleted."""
        self._not_deleted(run_id)
        for each in models:
            self.get_logged_model(each.model_id)

    def create_logged_model(self, model: NewLoggedModel) -> LoggedModel:
        with self._turn:
            self._require_active(model.experiment_id)
            if self._models.get(model.model_id) is not None:
                raise AlreadyExists(f"There is a logged model {model.model_id!r} already.")
            made = replace(
                _model(model.model_id, model.experiment_id, model.name, model.creation_timestamp),
                model_type=model.model_type,
                source_run_id=model.source_run_id,
                status=model.status,
                params={param.key: param.value for param in model.params},
                tags={tag.key: tag.value for tag in model.tags},
            )
            return self._keep_model(made)

    def get_logged_model(self, model_id: str, *, allow_deleted: bool = False) -> LoggedModel:
        """The model of that id, without what was logged to it; one that is not known is another process's."""
        with self._turn:
            if self._binned_models.get(model_id) is not None and not allow_deleted:
                raise NotFound(f"The logged model {model_id!r} is deleted.")
            experiment = settings.get("experiment_id") or DEFAULT_EXPERIMENT_ID
            return self._models.get(model_id) or _model(model_id, experiment, "model", now_ms())

    def update_logged_model(
        self,
        model_id: str,
        *,
        status: str | None = None,
        status_message: str | None = None,
        params: Sequence[Param] = (),
        tags: Sequence[Tag] = (),
    ) -> LoggedModel:
        """Change how far it is, and drop params and tags."""
        del params, tags
        with self._turn:
            model = self.get_logged_model(model_id)
            changed: dict[str, Any] = {
                "status": model.status if status is None else LoggedModelStatus.check(status),
                "status_message": model.status_message if status_message is None else status_message,
                "last_updated_timestamp": max(now_ms(), model.last_updated_timestamp),
            }
            return self._keep_model(replace(model, **changed))

    def delete_logged_model_tag(self, model_id: str, key: str) -> None:
        """Remove a tag; one that is not known may have been set, and dropped."""
        with self._turn:
            model = self.get_logged_model(model_id)
            self._keep_model(replace(model, tags={kept: tag for kept, tag in model.tags.items() if kept != key}))

    def delete_logged_model(self, model_id: str) -> None:
        with self._turn:
            self.get_logged_model(model_id)
            self._binned_models.put(model_id, model_id)

    def restore_logged_model(self, model_id: str) -> None:
        with self._turn:
            model = self.get_logged_model(model_id, allow_deleted=True)
            if self.get_experiment(model.experiment_id).lifecycle_stage == LifecycleStage.DELETED:
                message = f"The experiment of the logged model {model_id} is deleted."
                raise InvalidState(message, hint="Restore the experiment first.")
            self._binned_models.drop(model_id)

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
        """Nothing, if filter, datasets and order can be read."""
        del experiment_ids, max_results, page_token, view_type
        parse_filter(filter_string, "logged_models")
        parse_datasets(datasets)
        parse_order(order_by, "logged_models")
        return Page([])

    # --- steps -----------------------------------------------------------------------------------------------

    def _keep_model(self, model: LoggedModel) -> LoggedModel:
        self._models.put(model.model_id, model)
        return model

    @property
    @abstractmethod
    def _turn(self) -> threading.RLock:
        """Held by the thread that works on what is remembered."""

    @abstractmethod
    def _require_active(self, experiment_id: str) -> None:
        """Raise ``InvalidInput`` for a deleted experiment."""

    @abstractmethod
    def _not_deleted(self, run_id: str) -> Run:
        """The run; ``RunEnded`` if it is deleted."""


def _model(model_id: str, experiment_id: str, name: str, created: int) -> LoggedModel:
    return LoggedModel(
        experiment_id=experiment_id,
        model_id=model_id,
        name=name,
        artifact_location=uris.join("null:", experiment_id, "models", model_id, "artifacts"),
        creation_timestamp=created,
        last_updated_timestamp=created,
    )
