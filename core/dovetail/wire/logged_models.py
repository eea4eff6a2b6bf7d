"""Logged models in MLflow's JSON."""

from __future__ import annotations

from typing import Any

from dovetail.values.logged_model import LoggedModel, NewLoggedModel
from dovetail.wire.answers import answer
from dovetail.wire.fields import load_object, load_text
from dovetail.wire.labels import dump_labels, load_labels, load_params, load_tags
from dovetail.wire.metrics import dump_metric, load_point
from dovetail.wire.numbers import load_int
from dovetail.wire.states import dump_model_status, load_model_status

__all__ = ["dump_logged_model", "dump_new_logged_model", "load_logged_model", "load_new_logged_model"]

_ALWAYS = ("model_type", "source_run_id")


def dump_new_logged_model(model: NewLoggedModel) -> dict[str, Any]:
    """The request that creates a logged model, as MLflow's servers take it: they make the id, and it is PENDING."""
    data: dict[str, Any] = {"experiment_id": model.experiment_id, "name": model.name}
    if model.model_type is not None:
        data["model_type"] = model.model_type
    if model.source_run_id is not None:
        data["source_run_id"] = model.source_run_id
    if model.params:
        data["params"] = dump_labels(model.params)
    if model.tags:
        data["tags"] = dump_labels(model.tags)
    return data


def load_new_logged_model(data: object) -> NewLoggedModel:
    """The logged model that a client wants created, with a fresh id; where it says no name, that is the default.

    Raises:
        InvalidInput: There is no experiment's id, or a field is not of its kind.
    """
    fields = load_object(data, "new logged model")
    return NewLoggedModel(
        experiment_id=load_text(fields, "experiment_id"),
        name=load_text(fields, "name") or NewLoggedModel.name,
        model_type=load_text(fields, "model_type") or None,
        source_run_id=load_text(fields, "source_run_id") or None,
        params=load_params(fields.get("params")),
        tags=load_tags(fields.get("tags")),
    )


def dump_logged_model(model: LoggedModel) -> dict[str, Any]:
    """A logged model as MLflow gives it: its kind and its run are empty text where nobody said."""
    info: dict[str, Any] = {
        "model_id": model.model_id,
        "experiment_id": model.experiment_id,
        "name": model.name,
        "creation_timestamp_ms": model.creation_timestamp,
        "last_updated_timestamp_ms": model.last_updated_timestamp,
        "artifact_uri": model.artifact_location,
        "status": dump_model_status(model.status),
    }
    info |= {name: getattr(model, name) or "" for name in _ALWAYS}
    if model.status_message is not None:
        info["status_message"] = model.status_message
    if model.tags:
        info["tags"] = dump_labels(model.tags)
    data: dict[str, Any] = {}
    if model.params:
        data["params"] = dump_labels(model.params)
    if model.metrics:
        data["metrics"] = [dump_metric(metric) for metric in model.metrics]
    return {"info": info, "data": data}


@answer("logged model")
def load_logged_model(data: Any) -> LoggedModel:
    """A logged model as a server answered with it; of texts that are empty nothing is known.

    Raises:
        StoreError: That is none.
    """
    info, logged = data.get("info") or {}, data.get("data") or {}
    return LoggedModel.stored(
        experiment_id=str(info.get("experiment_id", "")),
        model_id=info.get("model_id", ""),
        name=info.get("name", ""),
        artifact_location=info.get("artifact_uri", ""),
        creation_timestamp=load_int(info.get("creation_timestamp_ms", 0), "creation_timestamp_ms"),
        last_updated_timestamp=load_int(info.get("last_updated_timestamp_ms", 0), "last_updated_timestamp_ms"),
        status=load_model_status(info.get("status")),
        tags=load_labels(info.get("tags")),
        params=load_labels(logged.get("params")),
        metrics=tuple(load_point(point) for point in logged.get("metrics") or ()),
        status_message=info.get("status_message") or None,
        **{name: info.get(name) or None for name in _ALWAYS},
    )
