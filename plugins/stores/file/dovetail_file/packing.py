"""The state of a run as JSON, for the index."""

from __future__ import annotations

import json
from typing import Any

from dovetail_file.state import NAN, Point, RunState, Used

__all__ = ["packed", "unpacked"]


def packed(state: RunState) -> bytes:
    """The state as one line of JSON; NaN and the infinities are written as Python's ``json`` writes them."""
    fields = dict(state.__dict__)
    fields["datasets"] = {
        key: [each.first, each.at, each.dataset, each.tags, each.tagged] for key, each in state.datasets.items()
    }
    fields["linked"] = {model_id: list(points) for model_id, points in state.linked.items()}
    return json.dumps(fields, separators=(",", ":")).encode()


def unpacked(line: bytes, *, to_read: bool = False) -> RunState:
    """The state that ``packed`` wrote.

    Args:
        line: What it wrote.
        to_read: Nothing will be logged to it: pairs may stay lists, which takes half the time.

    Raises:
        ValueError: Nobody wrote that.
    """
    try:
        held: dict[str, Any] = json.loads(line.decode())
        held["datasets"] = {key: _used(*value) for key, value in held["datasets"].items()}
        if not to_read:
            _pair(held)
        return RunState(**held)
    except (TypeError, KeyError, AttributeError) as error:
        raise ValueError(f"no state of a run: {error}") from error


def _pair(held: dict[str, Any]) -> None:
    for name in ("fields", "params", "tags", "latest", "used"):
        held[name] = {key: tuple(value) for key, value in held[name].items()}
    held["name"], held["rewinds"] = tuple(held["name"]), list(map(tuple, held["rewinds"]))
    held["made"] = {key: (tuple(first), last, step) for key, (first, last, step) in held["made"].items()}
    held["linked"] = {key: dict.fromkeys(map(_point, points)) for key, points in held["linked"].items()}


def _used(first: list[int], at: int, dataset: dict[str, str | None], tags: dict[str, str], tagged: list[int]) -> Used:
    return Used((first[0], first[1]), at, dataset, tags, (tagged[0], tagged[1]))


def _point(point: list[Any]) -> Point:
    key, value, *rest = point
    return (key, value if value == value else NAN, *rest)  # noqa: PLR0124 - NaN alone is not itself
