"""What runs log."""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING, Any

from dovetail.errors import InvalidInput
from dovetail.values import Batch, LogEntry, Metric, Tag
from dovetail.values.names import MAX_TAG_VALUE
from dovetail.wire.batches import load_batch
from dovetail.wire.labels import load_param, load_tag
from dovetail_server.routing.fields import integer, number, objects, text
from dovetail_server.routing.route import MB, Routes, Way

if TYPE_CHECKING:
    from dovetail_server.routing.asked import Asked

__all__ = ["ROUTES"]

ROUTES = Routes("/api/2.0/mlflow/", "/ajax-api/2.0/mlflow/")

_RUN = (text("run_id"), text("run_uuid"))
_KEY = text("key", required=True)
_NAME = "mlflow.runName"
_HISTORY = "mlflow.log-model.history"
_MANDATORY = ("run_id", "artifact_path", "utc_time_created", "flavors")
_noting = threading.Lock()  # the history of a run's models is read and written back


@ROUTES.add(
    "POST",
    "runs/log-metric",
    "update",
    "run",
    *_RUN,
    _KEY,
    number("value", required=True),
    integer("timestamp", required=True),
    integer("step", default=0),
    text("model_id"),
    text("dataset_name"),
    text("dataset_digest"),
    way=Way.IN_GROUP,
)
def log_metric(asked: Asked) -> LogEntry:
    """Log a point of a metric."""
    given = asked.fields
    links = [given[name] or None for name in ("model_id", "dataset_name", "dataset_digest")]
    point = Metric(given["key"], given["value"], given["timestamp"], given["step"], *links)
    return _entry(asked, Batch.stored(metrics=(point,)))


@ROUTES.add("POST", "runs/log-parameter", "update", "run", *_RUN, _KEY, text("value", default=""), way=Way.IN_GROUP)
def log_param(asked: Asked) -> LogEntry:
    """Log a param."""
    return _entry(asked, Batch.stored(params=(load_param(asked.fields),)))


@ROUTES.add("POST", "runs/set-tag", "update", "run", *_RUN, _KEY, text("value", default=""), way=Way.IN_GROUP)
def set_tag(asked: Asked) -> LogEntry:
    """Set a tag of a run."""
    return _entry(asked, Batch.stored(tags=(load_tag(asked.fields),)))


@ROUTES.add(
    "POST",
    "runs/log-batch",
    "update",
    "run",
    text("run_id"),
    objects("metrics"),
    objects("params"),
    objects("tags"),
    way=Way.IN_GROUP,
    largest=8 * MB,
)
def log_batch(asked: Asked) -> LogEntry:
    """Log points, params and tags, all of them or none."""
    return _entry(asked, load_batch(asked.fields))


@ROUTES.add(
    "POST", "runs/log-model", "update", "run", text("run_id"), text("model_json", required=True), largest=8 * MB
)
def log_model(asked: Asked) -> dict[str, Any]:
    """Note a model that lies among a run's artifacts, as clients of MLflow 2 do."""
    run_id, model, store = asked.run_id, _model(asked["model_json"]), asked.site.tracking
    with _noting:
        before = _noted(store.get_run(run_id).data.tags.get(_HISTORY, ""))
        tag = Tag(_HISTORY, _fitted([*before, model]))
        store.log_batch(run_id, Batch(tags=(tag,)), ended=True)
    return {}


def _entry(asked: Asked, batch: Batch) -> LogEntry:
    # MLflow knows no run that takes nothing more because it has ended, and its clients log to such runs.
    return LogEntry.stored(run_id=asked.run_id, batch=_that_names(batch), ended=True)


def _that_names(batch: Batch) -> Batch:
    """The same without a tag that would leave a run without a name: as in MLflow, that changes nothing."""
    tags = tuple(tag for tag in batch.tags if tag.value or tag.key != _NAME)
    if len(tags) == len(batch.tags):
        return batch
    return Batch.stored(metrics=batch.metrics, params=batch.params, tags=tags)


def _model(text: str) -> dict[str, Any]:
    """What is said of a model.

    Raises:
        InvalidInput: It is no JSON object, or lacks what each model has.
    """
    try:
        model = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InvalidInput(f"The field 'model_json' is no JSON: {error}.") from error
    if not isinstance(model, dict):
        raise InvalidInput(f"The field 'model_json' must hold a JSON object, not a {type(model).__name__}.")
    if missing := [name for name in _MANDATORY if name not in model]:
        raise InvalidInput(f"The field 'model_json' says nothing of {', '.join(missing)}.")
    return model


def _noted(history: str) -> list[dict[str, Any]]:
    """The models noted before; none where somebody wrote something else into that tag."""
    try:
        found = json.loads(history)
    except (ValueError, RecursionError):
        return []
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []


def _fitted(models: list[dict[str, Any]]) -> str:
    """The history as text; where a tag cannot hold it, the oldest models lose what is not mandatory, then go.

    Raises:
        InvalidInput: Not even the last one fits.
    """
    for at, model in enumerate(models):
        if len(text := _written(models)) <= MAX_TAG_VALUE:
            return text
        models[at] = {name: model.get(name) for name in _MANDATORY}
    while len(text := _written(models)) > MAX_TAG_VALUE:
        if len(models) == 1:
            raise InvalidInput(f"What is said of the model takes {len(text)} characters; {MAX_TAG_VALUE} are kept.")
        del models[0]
    return text


def _written(models: list[dict[str, Any]]) -> str:
    try:
        return json.dumps(models)
    except RecursionError as error:  # what can just be read may be too deep to be written
        raise InvalidInput("What is said of the models nests too deep.") from error
