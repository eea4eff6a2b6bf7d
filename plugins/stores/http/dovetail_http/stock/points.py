"""Points of metrics as a server of MLflow's tells them."""

from __future__ import annotations

import math
import sys
from typing import TYPE_CHECKING, Any

from dovetail.wire.metrics import load_point

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dovetail.values import Metric

__all__ = ["load_points", "with_infinities"]

_LARGEST = sys.float_info.max


def with_infinities(points: Iterable[dict[str, Any]] | None) -> list[dict[str, Any]]:
    """Points as they were logged: in its database, MLflow keeps the largest number there is for an infinity."""
    return [
        {**point, "value": math.copysign(math.inf, point["value"])} if _is_largest(point.get("value")) else point
        for point in points or ()
    ]


def load_points(data: Iterable[dict[str, Any]] | None) -> list[Metric]:
    """Points of one metric of one run, each once, in order of timestamp, step and value, NaN last."""
    found = {_place(point): point for point in map(load_point, with_infinities(data))}
    return [found[place] for place in sorted(found)]


def _is_largest(value: object) -> bool:
    return isinstance(value, float) and abs(value) == _LARGEST


def _place(point: Metric) -> tuple[int, int, bool, float]:
    undefined = math.isnan(point.value)
    return point.timestamp, point.step, undefined, 0.0 if undefined else point.value
