"""Metrics, params and tags from whatever people pass."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from dovetail import settings
from dovetail.errors import InvalidInput
from dovetail.values import Metric, Param, Tag
from dovetail.values.measure import now_ms
from dovetail.values.value import Value

__all__ = [
    "as_list",
    "as_mapping",
    "as_metrics",
    "as_params",
    "as_tags",
    "check_values",
    "linked_metric",
    "metric",
    "param",
    "tag",
]

# Below this no limit is near, and the setting need not be looked up: that looks for files, and this is a hot path.
_SURELY_SHORT = 6000


def metric(key: str, value: Any, timestamp: int | None = None, step: int | None = None) -> Metric:
    """A point of a metric; without a time it is now, without a step 0."""
    return Metric(key, value, timestamp, step)


def linked_metric(key: str, value: Any, timestamp: int | None, step: int | None, *links: str | None) -> Metric:
    """The same, about a logged model and a dataset: its id, and the dataset's name and digest."""
    return Metric(key, value, timestamp, step, *links)


def param(key: str, value: Any) -> Param:
    """A param from any value, cut or refused by the setting where it is too long."""
    text = str(value)
    if len(text) <= _SURELY_SHORT:
        return Param(key, text)
    return Param.of(key, text, cut=settings.get("truncate_long_values"))


def tag(key: str, value: Any) -> Tag:
    """A tag from any value, cut or refused by the setting where it is too long."""
    text = str(value)
    if len(text) <= _SURELY_SHORT:
        return Tag(key, text)
    return Tag.of(key, text, cut=settings.get("truncate_long_values"))


def as_metrics(
    metrics: Mapping[str, Any], timestamp: int | None, step: int | None, *links: str | None
) -> tuple[Metric, ...]:
    """Points of several metrics, all of one time and step, about one model and dataset; see ``linked_metric``."""
    moment = now_ms() if timestamp is None else timestamp
    return tuple(
        linked_metric(key, value, moment, step, *links) for key, value in as_mapping("Metrics", metrics).items()
    )


def as_params(params: Mapping[str, Any]) -> tuple[Param, ...]:
    """Params from a mapping."""
    return tuple(param(key, value) for key, value in as_mapping("Params", params).items())


def as_tags(tags: Mapping[str, Any] | None) -> tuple[Tag, ...]:
    """Tags from a mapping; None means none."""
    return tuple(tag(key, value) for key, value in as_mapping("Tags", tags or {}).items())


def as_mapping(what: str, values: Mapping[str, Any]) -> Mapping[str, Any]:
    """What is a dict or the like already.

    Args:
        what: The word for the message, such as ``Tags``.
        values: What the caller gave.

    Raises:
        InvalidInput: It is none.
    """
    if not isinstance(values, Mapping):
        raise InvalidInput(f"{what} are given as a dict of values by key, not as {type(values).__name__}.")
    return values


def as_list(what: str, given: Iterable[Any]) -> list[Any]:
    """The things in a list, tuple or the like; a single thing is none, and neither are texts and dicts.

    Args:
        what: The words for the message, such as ``The datasets``.
        given: What the caller gave.

    Raises:
        InvalidInput: It is no list.
    """
    # Values can be gone through, too: their fields.
    if isinstance(given, (str, bytes, Mapping, Value)) or not isinstance(given, Iterable):
        raise InvalidInput(f"{what} are given as a list, not as {type(given).__name__}.")
    return list(given)


def check_values(given: Iterable[Any], kind: type, what: str) -> None:
    """Refuse what is not of a kind.

    Args:
        given: What the caller gave.
        kind: The class that each must be of.
        what: What one of them is, in words for the message.

    Raises:
        InvalidInput: One is of another kind.
    """
    for each in given:
        if not isinstance(each, kind):
            raise InvalidInput(f"{what} is a {kind.__name__} value, not {type(each).__name__}.")
