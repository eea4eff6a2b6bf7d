"""Histories of metrics as a few characters: how a value went, small enough for a cell of a table."""

from __future__ import annotations

import math
import time
from itertools import pairwise
from typing import TYPE_CHECKING

from dovetail.cli import output

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dovetail.tracking.client import Client

__all__ = ["WIDTH", "Histories", "sparkline"]

WIDTH = 16
BLOCKS = "▁▂▃▄▅▆▇█"
# For outputs that cannot take those characters.
PLAIN_BLOCKS = "_.-~^"
NOT_FINITE = "!"
POINTS = 5000  # of a longer history the lowest and highest of its parts are drawn


class Histories:
    """Reads histories for as long as people like to wait.

    Args:
        client: Where from.
        seconds: How long all of them together may take; what is not read by then is left out.

    Attributes:
        left_out: Whether some were.
    """

    def __init__(self, client: Client, seconds: float = 2.0) -> None:
        self._store = client.store
        self._end = time.monotonic() + seconds
        self.left_out = False

    def values(self, run_id: str, key: str) -> list[float]:
        """The values of a metric by step, then time; none if time is up."""
        if time.monotonic() >= self._end:
            self.left_out = True
            return []
        points = self._store.get_metric_series([run_id], key, points=POINTS).get(run_id, ())
        return [each.value for each in sorted(points, key=lambda each: (each.step, each.timestamp))]

    def line(self, run_id: str, key: str) -> str:
        """The history as a sparkline; nothing for a single point, which tells no story."""
        values = self.values(run_id, key)
        return sparkline(values) if len(values) > 1 else ""


def sparkline(values: Sequence[float], width: int = WIDTH) -> str:
    """Values as bars from the lowest to the highest; NaN and the infinities have a sign of their own.

    Args:
        values: In order; where there are more than fit, each bar is the mean of several.
        width: At most this many characters.
    """
    blocks = BLOCKS if output.drawable(BLOCKS) else PLAIN_BLOCKS
    bars = _bars(values, width)
    finite = [bar for bar in bars if bar is not None]
    if not finite:
        return NOT_FINITE * len(bars)
    low, high = min(finite), max(finite)
    return "".join(NOT_FINITE if bar is None else blocks[_level(bar, low, high, len(blocks))] for bar in bars)


def _bars(values: Sequence[float], width: int) -> list[float | None]:
    count = min(len(values), width)
    edges = [number * len(values) // count for number in range(count + 1)] if count else [0]
    return [_mean(values[start:end]) for start, end in pairwise(edges)]


def _mean(values: Sequence[float]) -> float | None:
    """The mean of those that are finite; each is divided first, since the sum could be more than a number holds."""
    finite = [value for value in values if math.isfinite(value)]
    return math.fsum(value / len(finite) for value in finite) if finite else None


def _level(value: float, low: float, high: float, levels: int) -> int:
    """Which of the levels; halves, since the difference of two numbers may be more than a number holds."""
    span = high / 2 - low / 2
    return levels // 2 if span == 0 else min(levels - 1, int((value / 2 - low / 2) / span * levels))
