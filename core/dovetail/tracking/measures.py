"""Fluent verbs for what a run logs: metrics, params and tags."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dovetail.tracking import places, runs
from dovetail.tracking.casting import as_metrics, as_params, as_tags, metric, param, tag
from dovetail.tracking.recorder import check_synchronous
from dovetail.values import Batch
from dovetail.values.names import check_run_id

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["delete_tag", "log_metric", "log_metrics", "log_param", "log_params", "set_tag", "set_tags"]


def log_metric(
    key: str,
    value: float,
    step: int | None = None,
    synchronous: bool | None = None,
    timestamp: int | None = None,
    run_id: str | None = None,
) -> None:
    """Log one point of a metric.

    Args:
        key: The metric's name.
        value: A number; NaN and the infinities are kept.
        step: The training step, 0 by default.
        synchronous: True or None: the call returns when the point is stored. False is not here yet.
        timestamp: Milliseconds since 1970, UTC; by default now.
        run_id: The run; by default the active one, which is started if there is none.
    """
    check_synchronous(synchronous)
    _record(run_id, Batch(metrics=(metric(key, value, timestamp, step),)))


def log_metrics(
    metrics: Mapping[str, float],
    step: int | None = None,
    synchronous: bool | None = None,
    run_id: str | None = None,
    timestamp: int | None = None,
) -> None:
    """Log several metrics at one step and time, together."""
    check_synchronous(synchronous)
    _record(run_id, Batch(metrics=as_metrics(metrics, timestamp, step)))


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
    places.open_store(run.uri).delete_tag(run.run_id, key)


def _record(run_id: str | None, batch: Batch) -> None:
    if run_id:
        places.recorder().record(check_run_id(run_id), batch)
    else:
        # No setting is asked here: that looks for files, and this is the hot path.
        run = runs.current_run()
        places.recorder(run.uri).record(run.run_id, batch)
