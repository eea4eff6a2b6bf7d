"""Codecs of metrics: points and columns of points as lists, and what a run logged."""

from __future__ import annotations

from array import array
from typing import Any

from dovetail.tracking.series import Series
from dovetail.values import Metric, MetricColumns, RunData
from dovetail.values.names import check_key
from dovetail.wire.plain import TEXT, Codec, Misfit, dump_number, number, whole

__all__ = ["COLUMNS", "POINT", "RUN_DATA", "SERIES"]

_LIST, _OBJECT = frozenset({list}), frozenset({dict})
_FEWEST, _MOST = 4, 8  # a point's key, value, timestamp and step; and model, dataset's name and digest, and run

# --- points --------------------------------------------------------------------------------------------------


def _dump_point(metric: Any) -> Any:
    if not isinstance(metric, Metric):
        return metric
    row: list[Any] = [metric.key, dump_number(metric.value), metric.timestamp, metric.step]
    links = [metric.model_id, metric.dataset_name, metric.dataset_digest, metric.run_id]
    while links and links[-1] is None:
        links.pop()
    return row + links


def _load_point(data: Any) -> Metric:
    key, value, timestamp, step, *links = _row(data)
    return Metric(key, number(value), whole(timestamp), whole(step), *map(_link, links))


def _read_point(data: Any) -> Metric:
    key, value, timestamp, step, *links = _row(data)
    value = value if type(value) is float else number(value)
    if not links:
        return Metric.stored(key=key, value=value, timestamp=timestamp, step=step)
    names = ("model_id", "dataset_name", "dataset_digest", "run_id")
    return Metric.stored(key=key, value=value, timestamp=timestamp, step=step, **dict(zip(names, links, strict=False)))


def _row(data: Any) -> list[Any]:
    if type(data) is not list or not _FEWEST <= len(data) <= _MOST:
        raise Misfit("must be a list of key, value, timestamp and step, maybe with links")
    return data


def _link(data: Any) -> str | None:
    return None if data is None else str(TEXT.load(data))


POINT = Codec("a list", _LIST, (Metric,), _dump_point, _load_point, _read_point)

# --- columns of points ---------------------------------------------------------------------------------------


def _dump_columns(columns: Any) -> Any:
    if not isinstance(columns, MetricColumns):
        return columns
    values = _dump_numbers(columns.values)
    return [columns.key, list(columns.timestamps), list(columns.steps), values]


def _load_columns(data: Any) -> MetricColumns:
    columns = _read_columns(data)
    check_key("metric", columns.key)
    if columns.timestamps and min(columns.timestamps) < 0:
        raise Misfit("must hold no timestamps below 0")
    return columns


def _read_columns(data: Any) -> MetricColumns:
    key, timestamps, steps, values = _columns(data)
    columns = MetricColumns(key, _wholes(timestamps), _wholes(steps), _numbers(values))
    if not len(columns.timestamps) == len(columns.steps) == len(columns.values):
        raise Misfit("must hold columns of equal length")
    return columns


COLUMNS = Codec("a list", _LIST, (MetricColumns,), _dump_columns, _load_columns, _read_columns)


def _dump_series(series: Any) -> Any:
    steps, timestamps = series.steps.tolist(), series.timestamps.tolist()
    return [series.key, timestamps, steps, _dump_numbers(series.values.tolist())]


def _read_series(data: Any) -> Series:
    key, timestamps, steps, values = _read_columns(data)
    return Series(key, steps, timestamps, values)


SERIES = Codec("a list", _LIST, (Series,), _dump_series, _read_series, _read_series)


def _columns(data: Any) -> list[Any]:
    if type(data) is not list or len(data) != len(MetricColumns._fields):
        raise Misfit("must be a list of key, timestamps, steps and values")
    if not all(type(each) is list for each in data[1:]):
        raise Misfit("must hold its timestamps, steps and values as lists")
    return data


def _wholes(data: list[Any]) -> array[int]:
    try:
        return array("q", data)
    except (TypeError, OverflowError):
        raise Misfit("must hold whole numbers of at most 64 bits as timestamps and steps") from None


def _numbers(data: list[Any]) -> array[float]:
    try:
        return array("d", data)
    except (TypeError, OverflowError):
        # One of them is a word; those are few.
        return array("d", map(number, data))


def _dump_numbers(values: Any) -> list[Any]:
    listed = values.tolist() if hasattr(values, "tolist") else list(values)
    total = sum(listed)
    # A sum is finite where all of them are, but for sums beyond what a double holds.
    return listed if total - total == 0 else [dump_number(each) for each in listed]


# --- what a run logged ---------------------------------------------------------------------------------------


def _dump_run_data(data: Any) -> dict[str, Any]:
    if (points := data.__dict__.get("_points")) is None:
        points = [(each.key, each.value, each.timestamp, each.step) for each in data.latest]
    held = {
        "points": [[key, dump_number(value), timestamp, step] for key, value, timestamp, step in points],
        "params": data.params,
        "tags": data.tags,
    }
    if len(points) != len(data.metrics):  # somebody made them apart
        held["metrics"] = {key: dump_number(value) for key, value in data.metrics.items()}
    return held


def _read_run_data(data: Any) -> RunData:
    if type(data) is not dict or not all(type(data.get(name)) in kinds for name, kinds in _RUN_DATA.items()):
        raise Misfit("must be an object of points, params and tags")
    points = data["points"]
    if not all(type(value) is float for _, value, _, _ in points):
        points = [(key, number(value), timestamp, step) for key, value, timestamp, step in points]
    if data.get("metrics") is None:
        return RunData.read(points, data["params"], data["tags"])
    latest = tuple(Metric.stored(key=key, value=value, timestamp=at, step=step) for key, value, at, step in points)
    metrics = {key: number(value) for key, value in data["metrics"].items()}
    return RunData.stored(metrics=metrics, params=data["params"], tags=data["tags"], latest=latest)


_RUN_DATA: dict[str, list[type]] = {"points": [list], "params": [dict], "tags": [dict], "metrics": [dict, type(None)]}

RUN_DATA = Codec("an object", _OBJECT, (RunData,), _dump_run_data, _read_run_data, _read_run_data)
