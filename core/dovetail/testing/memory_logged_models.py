"""Logged models in memory."""

# ruff: noqa: D102 - the docstrings of these methods stand in the interface

from __future__ import annotations

from dataclasses import replace
from math import isnan
from typing import TYPE_CHECKING, Any

from dovetail import uris
from dovetail.errors import AlreadyExists, InvalidInput, InvalidState, NotFound, ParamConflict
from dovetail.testing.pages import page_of
from dovetail.testing.records import as_dict
from dovetail.testing.subjects import LoggedModelSubject
from dovetail.tracking.filters import matches, parse_datasets, parse_filter, parse_order, sort_subjects
from dovetail.tracking.store import TrackingStore
from dovetail.values import LifecycleStage, LoggedModel, LoggedModelStatus, ViewType
from dovetail.values.measure import now_ms

if TYPE_CHECKING:
    import threading
    from collections.abc import Iterable, Mapping, Sequence

    from dovetail.tracking.bin import Discarded
    from dovetail.values import Experiment, Metric, NewLoggedModel, Page, Param, RunInfo, Tag

__all__ = ["MemoryLoggedModels"]


class MemoryLoggedModels(TrackingStore):
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
            if experiment.lifecycle_stage == LifecycleStage.DELETED:
                raise InvalidInput(f"Experiment {model.experiment_id} is deleted.", hint="Restore it first.")
            if model.model_id in self._models or ("logged_model", model.model_id) in self._condemned:
                raise AlreadyExists(f"{self.uri} has a logged model {model.model_id!r} already.")
            location = uris.join(experiment.artifact_location, "models", model.model_id, "artifacts")
            self._models[model.model_id] = _with_texts(_blank(model, location), model.params, model.tags)
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
            model = _with_texts(self.get_logged_model(model_id), params, tags)
            if status is not None:
                model = replace(model, status=LoggedModelStatus.check(status))
            if status_message is not None:
                model = replace(model, status_message=status_message)
            self._keep_model(model)
            return self.get_logged_model(model_id)

    def delete_logged_model_tag(self, model_id: str, key: str) -> None:
        with self._lock:
            model = self.get_logged_model(model_id)
            if key not in model.tags:
                raise NotFound(f"Logged model {model_id} has no tag {key!r}.")
            self._keep_model(replace(model, tags={name: kept for name, kept in model.tags.items() if name != key}))

    def delete_logged_model(self, model_id: str) -> None:
        with self._lock:
            self._keep_model(self.get_logged_model(model_id))
            self._binned_models[model_id] = now_ms()

    def restore_logged_model(self, model_id: str) -> None:
        with self._lock:
            model = self.get_logged_model(model_id, allow_deleted=True)
            if self._experiments[model.experiment_id].lifecycle_stage == LifecycleStage.DELETED:
                raise InvalidState(
                    f"Logged model {model_id} lies in experiment {model.experiment_id}, which is deleted.",
                    hint="Restore the experiment first.",
                )
            if self._binned_models.pop(model_id, None) is not None:
                self._keep_model(model)

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
        tree, order = parse_filter(filter_string, "logged_models"), parse_order(order_by, "logged_models")
        choices = parse_datasets(datasets)
        shown = sorted(
            self._models_of(experiment_ids, view_type), key=lambda each: (-each.creation_timestamp, each.model_id)
        )
        subjects = [LoggedModelSubject(model, choices) for model in shown]
        found = [subject for subject in subjects if subject.measured and matches(tree, subject)]
        ordered = [subject.model for subject in sort_subjects(found, order)]
        search = (
            "models",
            *sorted(set(experiment_ids)),
            str(tree),
            *map(str, choices),
            *map(str, order),
            view_type.name,
        )
        return page_of(ordered, max_results, page_token, search)

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
        return {model_id: _with_points(self.get_logged_model(model_id), new) for model_id, new in points.items()}


def _blank(model: NewLoggedModel, location: str) -> LoggedModel:
    return LoggedModel(
        experiment_id=model.experiment_id,
        model_id=model.model_id,
        name=model.name,
        artifact_location=location,
        creation_timestamp=model.creation_timestamp,
        last_updated_timestamp=model.creation_timestamp,
        model_type=model.model_type,
        source_run_id=model.source_run_id,
        status=model.status,
    )


def _with_texts(model: LoggedModel, params: Sequence[Param], tags: Sequence[Tag]) -> LoggedModel:
    kept = dict(model.params)
    for param in params:
        if kept.setdefault(param.key, param.value) != param.value:
            raise ParamConflict(
                f"Param {param.key!r} of logged model {model.model_id} is {kept[param.key]!r}, not {param.value!r}.",
                hint="Params are written once; use another key, or a tag.",
            )
    return replace(model, params=kept, tags={**model.tags, **as_dict(tags)})


def _with_points(model: LoggedModel, points: Iterable[Metric]) -> LoggedModel:
    known = {_place(point): point for point in (*model.metrics, *points)}
    return replace(model, metrics=tuple(known[place] for place in sorted(known)))


def _place(point: Metric) -> tuple[object, ...]:
    """Where a point stands among those of its model, and what tells it from the others."""
    undefined = isnan(point.value)
    number = 0.0 if undefined else point.value
    source = point.dataset_name or "", point.dataset_digest or "", point.run_id or ""
    return point.timestamp, point.step, point.key, undefined, number, *source
