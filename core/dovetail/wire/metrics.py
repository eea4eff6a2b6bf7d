"""Points of metrics in MLflow's JSON."""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING, Any

from dovetail.errors import InvalidInput
from dovetail.values.measure import Metric
from dovetail.values.names import MAX_INT, check_key
from dovetail.wire.answers import answer
from dovetail.wire.fields import load_each, load_object
from dovetail.wire.numbers import dump_float, load_float, load_int

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["dump_metric", "dump_points", "load_metric", "load_metrics", "load_point"]

_KINDS = [{str}, {float}, {int}, {int}]
"""What a point holds that is linked to nothing: key, value, timestamp, step."""
_LINKS = ("dataset_name", "dataset_digest", "model_id", "run_id")


def dump_metric(metric: Metric) -> dict[str, Any]:
    """A point as MLflow gives it; what it was measured on, and the run, only where that is known."""
    value = metric.value
    data = {
        "key": metric.key,
        "value": value if isfinite(value) else dump_float(value),
        "timestamp": metric.timestamp,
        "step": metric.step,
    }
    for name in _LINKS:
        if (link := getattr(metric, name)) is not None:
            data[name] = link
    return data


def dump_points(points: Iterable[tuple[str, float, int, int]]) -> list[dict[str, Any]]:
    """Points given as key, value, timestamp and step, as MLflow lists them."""
    return [
        {
            "key": key,
            "value": value if isfinite(value) else dump_float(value),
            "timestamp": timestamp,
            "step": step,
        }
        for key, value, timestamp, step in points
    ]


def load_metrics(data: list[Any]) -> tuple[Metric, ...]:
    """All points that a client sent at once.

    Raises:
        InvalidInput: One of them is not as ``load_metric`` wants it; the message says which.
    """
    return tuple(map(Metric.holding, data)) if _are_plain(data) else load_each(data, "metrics", load_metric)


def _are_plain(data: list[Any]) -> bool:
    """Whether these are points that ``load_metric`` would take as they are, looked at a column at a time.

    Steps of a hundred metrics are most of what servers get; one by one they take three times as long.
    """
    try:
        rows = [(each["key"], each["value"], each["timestamp"], each["step"]) for each in data]
    except (KeyError, TypeError):
        return False
    if not rows or {*map(len, data)} != {len(_KINDS)}:
        return False
    keys, _, timestamps, steps = columns = [*zip(*rows, strict=True)]
    if [{*map(type, column)} for column in columns] != _KINDS or min(timestamps) < 0:
        return False
    if max(timestamps) > MAX_INT or max(steps) > MAX_INT or min(steps) < -MAX_INT:
        return False
    try:
        for key in keys:
            check_key("metric", key)
    except InvalidInput:
        return False
    return True


def load_metric(data: object) -> Metric:
    """A point that a client sent; the step is 0 where it says none.

    Raises:
        InvalidInput: The key, the value or the timestamp is missing, or a field is not of its kind.
    """
    fields = data if type(data) is dict else load_object(data, "metric")
    value, timestamp, step = fields.get("value"), fields.get("timestamp"), fields.get("step")
    if value is None or timestamp is None:
        raise InvalidInput(f"The field {'value' if value is None else 'timestamp'!r} of a metric is missing.")
    return Metric(
        fields.get("key"),  # type: ignore[arg-type]  # which Metric checks
        value if type(value) is float else load_float(value, "value"),
        timestamp if type(timestamp) is int else load_int(timestamp, "timestamp"),
        step if type(step) is int else 0 if step is None else load_int(step, "step"),
        # Clients send what they do not know as empty text.
        fields.get("model_id") or None,
        fields.get("dataset_name") or None,
        fields.get("dataset_digest") or None,
    )


@answer("metric")
def load_point(data: Any) -> Metric:
    """A point as a server answered with it.

    Raises:
        StoreError: That is none.
    """
    value, timestamp, step = data.get("value", 0.0), data.get("timestamp", 0), data.get("step", 0)
    links = {name: link for name in _LINKS if (link := data.get(name))}
    return Metric.stored(
        key=data.get("key", ""),
        value=value if type(value) is float else load_float(value, "value"),
        timestamp=timestamp if type(timestamp) is int else load_int(timestamp, "timestamp"),
        step=step if type(step) is int else load_int(step, "step"),
        **links,
    )
