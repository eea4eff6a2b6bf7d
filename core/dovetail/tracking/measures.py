"""Fluent verbs for what a run logs: metrics, params and tags."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any, NamedTuple

from dovetail.errors import NotFound
from dovetail.tracking import places, runs
from dovetail.tracking.active import Active
from dovetail.tracking.active_models import active_model_id, make_active
from dovetail.tracking.casting import as_metrics, as_params, as_tags, linked_metric, param, tag
from dovetail.tracking.inputs import note_measured
from dovetail.tracking.operations import answers, logged
from dovetail.tracking.recorders import made
from dovetail.values import Batch, Metric
from dovetail.values.names import check_name, check_run_id

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from dovetail.tracking.operations import RunOperations

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
) -> RunOperations | None:
    """Log one point of a metric.

    Args:
        key: The metric's name.
        value: A number; NaN and the infinities are kept.
        step: The training step, 0 by default.
        synchronous: None: the call returns when the point is safe on this machine, from where it goes to the store.
            True: it returns when the point is in the store, and raises what the store refuses of it. False: it answers
            with something to wait for, which does the same.
        timestamp: Milliseconds since 1970, UTC; by default now.
        run_id: The run; by default the active one, which is started if there is none.
        model_id: The logged model that was measured: the point is one of the model's, too, and the model an input of
            the run. By default the active model, if there is one; if that was deleted meanwhile, the point is one of
            the run alone, a warning says so, and no model is active any more.
        dataset: What it was measured on, which becomes an input of the run: a dataset of ``dovetail.data``, or a
            ``Dataset`` value.

    Raises:
        NotFound: There is no such run or model.
        RunEnded: The run has ended, or is deleted.
    """
    if dataset is None and (model_id or active_model_id()) is None:
        run = None if run_id else runs.active_or_none()
        if run is None or synchronous is not None or answers(None):
            # A point that is none starts no run.
            return _record(run_id, Batch((Metric(key, value, timestamp, step),)), synchronous)
        recorder = made(run.uri) or places.recorder(run.uri)
        recorder.point(run.run_id, key, value, timestamp, 0 if step is None else step)
        return None
    about = _About(run_id, model_id, dataset, synchronous)
    return about.record(lambda *links: (linked_metric(key, value, timestamp, step, *links),))


def log_metrics(
    metrics: Mapping[str, float],
    step: int | None = None,
    synchronous: bool | None = None,
    run_id: str | None = None,
    timestamp: int | None = None,
    model_id: str | None = None,
    dataset: Any = None,
) -> RunOperations | None:
    """Log several metrics at one step and time, together, of one model and dataset; see ``log_metric``."""
    if dataset is None and (model_id or active_model_id()) is None:
        return _record(run_id, Batch(metrics=as_metrics(metrics, timestamp, step)), synchronous)
    about = _About(run_id, model_id, dataset, synchronous)
    return about.record(lambda *links: as_metrics(metrics, timestamp, step, *links))


def log_param(key: str, value: Any, synchronous: bool | None = None, *, run_id: str | None = None) -> Any:
    """Log one param and return its value; with ``synchronous=False`` something to wait for, as ``log_metric`` does.

    Raises:
        ParamConflict: The run has another value under this key; params are written once.
    """
    waiting = _record(run_id, Batch(params=(param(key, value),)), synchronous)
    return value if waiting is None else waiting


def log_params(
    params: Mapping[str, Any], synchronous: bool | None = None, run_id: str | None = None
) -> RunOperations | None:
    """Log several params together."""
    return _record(run_id, Batch(params=as_params(params)), synchronous)


def set_tag(
    key: str, value: Any, synchronous: bool | None = None, *, run_id: str | None = None
) -> RunOperations | None:
    """Set one tag; a tag may be set again."""
    return _record(run_id, Batch(tags=(tag(key, value),)), synchronous)


def set_tags(
    tags: Mapping[str, Any], synchronous: bool | None = None, *, run_id: str | None = None
) -> RunOperations | None:
    """Set several tags together."""
    return _record(run_id, Batch(tags=as_tags(tags)), synchronous)


def delete_tag(key: str) -> None:
    """Remove a tag of the active run. Raises ``NotFound`` if it has none of that key."""
    run = runs.current_run()
    places.open_store(run.uri).delete_tag(run.run_id, check_name("tag key", key))


def _meant(run_id: str | None) -> Active:
    """The run that is logged to, and where."""
    # No setting is asked for the active run: that looks for files, and this is the hot path.
    return Active(check_run_id(run_id), places.get_tracking_uri()) if run_id else runs.current_run()


def _record(run_id: str | None, batch: Batch, synchronous: bool | None) -> RunOperations | None:
    run = _meant(run_id)
    return logged(places.recorder(run.uri), run.run_id, batch, synchronous)


class _About(NamedTuple):
    """What points are about that are not of the run alone.

    Args:
        run_id: The run, if it is not the active one.
        model_id: The model, if it is not the active one.
        dataset: What was measured on.
        synchronous: As for ``log_metric``.
    """

    run_id: str | None
    model_id: str | None
    dataset: Any
    synchronous: bool | None

    def record(self, points: Callable[..., tuple[Metric, ...]]) -> RunOperations | None:
        """Record points about a dataset and a model, or else the active one, which somebody may have deleted."""
        measured = self.model_id or active_model_id()
        try:
            return self._record(measured, points)
        except NotFound:
            if self.model_id or measured is None or not self._is_gone(measured):
                raise
            # A training must not lose its points because somebody tidies up.
            make_active(None)
            warnings.warn(
                f"The active model {measured} is gone: metrics are points of the run alone, and no model is active.",
                stacklevel=3,
            )
            return self._record(None, points)

    def _record(self, model_id: str | None, points: Callable[..., tuple[Metric, ...]]) -> RunOperations | None:
        """Record points, when it is noted that the run has used what they are about."""
        points(model_id)  # raises for what cannot be logged, before anything is noted
        run = _meant(self.run_id)
        store = places.open_store(run.uri)
        if model_id is not None:
            store.get_logged_model(model_id)  # what a journal holds is refused long after the call
        links = note_measured(store, run.run_id, model_id, self.dataset)
        return _record(self.run_id, Batch(metrics=points(model_id, *(links or ()))), self.synchronous)

    def _is_gone(self, model_id: str) -> bool:
        try:
            places.open_store(_meant(self.run_id).uri).get_logged_model(model_id)
        except NotFound:
            return True
        return False
