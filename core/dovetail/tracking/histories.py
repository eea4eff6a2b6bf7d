"""The fluent verbs that read long histories of metrics."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dovetail.tracking.client import Client

if TYPE_CHECKING:
    from dovetail.tracking.series import MetricArrays, Series

__all__ = ["metric_history_arrays", "sampled_metric_history"]


def metric_history_arrays(
    run_id: str, key: str, start_step: int | None = None, end_step: int | None = None
) -> MetricArrays:
    """All points of a metric of a run as numpy arrays, in order of timestamp, step and value.

    Args:
        run_id: The run.
        key: The metric.
        start_step: The first step to include; by default all.
        end_step: The last step to include; by default all.

    Returns:
        A named tuple ``steps, timestamps, values``; the arrays are empty for what was never logged.

    Raises:
        PluginMissing: Numpy is not installed.
    """
    return Client().metric_history_arrays(run_id, key, start_step, end_step)


def sampled_metric_history(
    run_id: str,
    key: str,
    points: int = 2000,
    method: str = "minmax",
    start_step: int | None = None,
    end_step: int | None = None,
) -> Series:
    """A history of any length, thinned out to what a plot can show.

    Args:
        run_id: The run.
        key: The metric.
        points: The most points, at least 4; a shorter history comes whole.
        method: ``minmax`` loses no peak; ``lttb`` looks smoother and may lose one.
        start_step: The first step to include; by default all.
        end_step: The last step to include; by default all.

    Returns:
        A series with columns ``steps``, ``timestamps`` and ``values``, and ``to_numpy()``.

    Raises:
        InvalidInput: The method is unknown, or fewer than 4 points are asked for.
    """
    return Client().sampled_metric_history(run_id, key, points, method, start_step, end_step)
