"""The points of metrics."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dovetail.errors import InvalidInput
from dovetail.values.names import MAX_INT
from dovetail.values.page import check_limit
from dovetail.wire.metrics import dump_metric, dump_points
from dovetail_server.routing.answer import listed
from dovetail_server.routing.fields import integer, text, texts
from dovetail_server.routing.route import Routes

if TYPE_CHECKING:
    from dovetail.tracking.series import Series
    from dovetail_server.routing.asked import Asked

__all__ = ["ROUTES"]

ROUTES = Routes("/api/2.0/mlflow/", "/ajax-api/2.0/mlflow/")

_KEY = text("metric_key", required=True)
_MOST_RUNS = 100
_MOST = 25_000
_MOST_OF_ONE = 2500
_FEWEST_OF_ONE = 4  # what thinning out leaves at least


@ROUTES.add(
    "GET",
    "metrics/get-history",
    "read",
    "run",
    text("run_id"),
    text("run_uuid"),
    _KEY,
    text("page_token"),
    integer("max_results"),
)
def history(asked: Asked) -> dict[str, Any]:
    """The points of a metric, all of them unless a page is asked for."""
    limit = asked["max_results"]
    page = asked.site.tracking.get_metric_history(
        asked.run_id,
        asked["metric_key"],
        None if limit is None else check_limit(limit, MAX_INT),
        asked["page_token"] or None,
    )
    return listed("metrics", [dump_metric(each) for each in page], page.token)


@ROUTES.add(
    "GET",
    "metrics/get-history-bulk-interval",
    "read",
    "run",
    texts("run_ids", required=True),
    _KEY,
    integer("start_step"),
    integer("end_step"),
    integer("max_results", default=320),
)
def interval(asked: Asked) -> dict[str, Any]:
    """The points of a metric in several runs between two steps, thinned out to at most so many of each run."""
    start, end = asked["start_step"], asked["end_step"]
    if (start is None) != (end is None):
        raise InvalidInput("The fields 'start_step' and 'end_step' are given together.")
    if start is not None and start > end:
        raise InvalidInput(f"The steps end at {end}, before they start at {start}.")
    limit = max(check_limit(asked["max_results"], _MOST_OF_ONE), _FEWEST_OF_ONE)
    found = asked.site.tracking.get_metric_series(
        _runs(asked["run_ids"]), asked["metric_key"], start_step=start, end_step=end, points=limit
    )
    return listed("metrics", [point for run_id, series in found.items() for point in _by_step(run_id, series)])


@ROUTES.add(
    "GET",
    "metrics/get-history-bulk",
    "read",
    "run",
    texts("run_id", required=True),
    _KEY,
    integer("max_results", default=_MOST),
)
def bulk(asked: Asked) -> dict[str, Any]:
    """The points of a metric in several runs, one run after the other, up to so many in all."""
    points: list[dict[str, Any]] = []
    limit = check_limit(asked["max_results"], _MOST)
    for run_id in _runs(asked["run_id"]):
        if len(points) < limit:
            page = asked.site.tracking.get_metric_history(run_id, asked["metric_key"], limit - len(points))
            points += [{**dump_metric(each), "run_id": run_id} for each in page]
    return {"metrics": points}


def _runs(run_ids: list[str]) -> list[str]:
    """The runs, each once.

    Raises:
        InvalidInput: There are too many.
    """
    if len(run_ids) > _MOST_RUNS:
        raise InvalidInput(f"{len(run_ids)} runs are asked for; at most {_MOST_RUNS} may be at once.")
    return list(dict.fromkeys(run_ids))


def _by_step(run_id: str, series: Series) -> list[dict[str, Any]]:
    """The points of a series as charts draw them: in the order of steps."""
    rows = sorted(
        zip(series.steps.tolist(), series.timestamps.tolist(), series.values.tolist(), strict=True),
        key=lambda row: row[:2],
    )
    points = dump_points((series.key, value, timestamp, step) for step, timestamp, value in rows)
    return [{**point, "run_id": run_id} for point in points]
