"""Fluent verbs for what a run logs: metrics, params and tags."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

from dovetail.errors import NotFound
from dovetail.tracking import places, runs
from dovetail.tracking.active_models import active_model_id, make_active
from dovetail.tracking.casting import as_metrics, as_params, as_tags, linked_metric, metric, param, tag
from dovetail.tracking.inputs import note_measured
from dovetail.tracking.recorder import check_synchronous
from dovetail.values import Batch
from dovetail.values.names import check_name, check_run_id

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from dovetail.tracking.store import TrackingStore
    from dovetail.values import Metric

__all__ = ["delete_tag", "log_metric", "log_metrics", "log_param", "log_params", "set_tag", "set_tags"]


def log_metric(
    key: str,
    value: float,
    step: int | None = None,
    synchronous: bool | None = None,
    timestamp: int | None = None,
    run_id: str | None = None,
    model_id: str | None = None,
    dataset: Any = None,
) -> None:
    """Log one point of a metric.

    Args:
        key: The metric's name.
        value: A number; NaN and the infinities are kept.
        step: The training step, 0 by default.
        synchronous: True or None: the call returns when the point is stored. False is not here yet.
        timestamp: Milliseconds since 1970, UTC; by default now.
        run_id: The run; by default the active one, which is started if there is none.
        model_id: The logged model that was measured: the point is one of the model's, too, and the model an input of
            the run. By default the active model, if there is one; if that was deleted meanwhile, the point is one of
            the run alone, a warning says so, and no model is active any more.
        dataset: What it was measured on, which becomes an input of the run: a dataset of ``dovetail.data``, or a
            ``Dataset`` value.

    Raises:
        NotFound: There is no such run or model.
    """
    check_synchronous(synchronous)
    if dataset is None and (model_id or active_model_id()) is None:
        _record(run_id, Batch(metrics=(metric(key, value, timestamp, step),)))
    else:
        _record_about(run_id, model_id, dataset, lambda *links: (linked_metric(key, value, timestamp, step, *links),))


def log_metrics(
    metrics: Mapping[str, float],
    step: int | None = None,
    synchronous: bool | None = None,
    run_id: str | None = None,
    timestamp: int | None = None,
    model_id: str | None = None,
    dataset: Any = None,
) -> None:
    """Log several metrics at one step and time, together, of one model and dataset; see ``log_metric``."""
    check_synchronous(synchronous)
    if dataset is None and (model_id or active_model_id()) is None:
        _record(run_id, Batch(metrics=as_metrics(metrics, timestamp, step)))
    else:
        _record_about(run_id, model_id, dataset, lambda *links: as_metrics(metrics, timestamp, step, *links))


def log_param(key: str, value: Any, synchronous: bool | None = None, *, run_id: str | None = None) -> Any:
    """Log one param and return its value.

    Raises:
        ParamConflict: The run has another value under this key; params are written once.
    """
    check_synchronous(synchronous)
    _record(run_id, Batch(params=(param(key, value),)))
    return value


def log_params(params: Mapping[str, Any], synchronous: bool | None = None, run_id: str | None = None) -> None:
    """Log several params together."""
    check_synchronous(synchronous)
    _record(run_id, Batch(params=as_params(params)))


def set_tag(key: str, value: Any, synchronous: bool | None = None, *, run_id: str | None = None) -> None:
    """Set one tag; a tag may be set again."""
    check_synchronous(synchronous)
    _record(run_id, Batch(tags=(tag(key, value),)))


def set_tags(tags: Mapping[str, Any], synchronous: bool | None = None, *, run_id: str | None = None) -> None:
    """Set several tags together."""
    check_synchronous(synchronous)
    _record(run_id, Batch(tags=as_tags(tags)))


def delete_tag(key: str) -> None:
    """Remove a tag of the active run. Raises ``NotFound`` if it has none of that key."""
    run = runs.current_run()
    places.open_store(run.uri).delete_tag(run.run_id, check_name("tag key", key))


def _record(run_id: str | None, batch: Batch) -> None:
    if run_id:
        places.recorder().record(check_run_id(run_id), batch)
    else:
        # No setting is asked here: that looks for files, and this is the hot path.
        run = runs.current_run()
        places.recorder(run.uri).record(run.run_id, batch)


def _record_about(
    run_id: str | None, model_id: str | None, dataset: Any, points: Callable[..., tuple[Metric, ...]]
) -> None:
    """Record points about a dataset and a model, or else the active one, which somebody may have deleted meanwhile."""
    measured = model_id or active_model_id()
    try:
        _record_measured(run_id, measured, dataset, points)
    except NotFound:
        if model_id or measured is None or not _is_gone(run_id, measured):
            raise
        # A training must not lose its points because somebody tidies up.
        make_active(None)
        warnings.warn(
            f"The active model {measured} is gone: metrics are points of the run alone, and no model is active.",
            stacklevel=3,
        )
        _record_measured(run_id, None, dataset, points)


def _record_measured(
    run_id: str | None, model_id: str | None, dataset: Any, points: Callable[..., tuple[Metric, ...]]
) -> None:
    """Record points that are about a model or a dataset, when it is noted that the run has used these."""
    points(model_id)  # raises for what cannot be logged, before anything is noted
    target, uri = _place(run_id)
    links = note_measured(_store_at(uri), target, model_id, dataset)
    places.recorder(uri).record(target, Batch(metrics=points(model_id, *(links or ()))))


def _is_gone(run_id: str | None, model_id: str) -> bool:
    try:
        _store_at(_place(run_id)[1]).get_logged_model(model_id)
    except NotFound:
        return True
    return False


def _place(run_id: str | None) -> tuple[str, str | None]:
    """The run that is meant, and where it is tracked: None for the place in force."""
    if run_id:
        return check_run_id(run_id), None
    run = runs.current_run()
    return run.run_id, run.uri


def _store_at(uri: str | None) -> TrackingStore:
    return places.tracking_store() if uri is None else places.open_store(uri)
