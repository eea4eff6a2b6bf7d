"""What becomes of a logged model when something is logged to it, for stores that keep models as values."""

from __future__ import annotations

from dataclasses import replace
from math import isnan
from typing import TYPE_CHECKING

from dovetail.errors import NotFound
from dovetail.tracking.params import with_params
from dovetail.values import LoggedModel, LoggedModelStatus

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from dovetail.values import Metric, NewLoggedModel, Param, Tag

__all__ = ["created", "updated", "with_points", "with_texts", "without_tag"]


def created(model: NewLoggedModel, location: str) -> LoggedModel:
    """The model that is new, with its files at a location.

    Raises:
        ParamConflict: It was to have two values of one param.
    """
    blank = LoggedModel(
        experiment_id=model.experiment_id,
        model_id=model.model_id,
        name=model.name,
        artifact_location=location,
        creation_timestamp=model.creation_timestamp,
        last_updated_timestamp=model.creation_timestamp,
        model_type=model.model_type,
        source_run_id=model.source_run_id,
        status=model.status,
    )
    return with_texts(blank, model.params, model.tags)


def updated(
    model: LoggedModel,
    status: str | None,
    status_message: str | None,
    params: Sequence[Param],
    tags: Sequence[Tag],
) -> LoggedModel:
    """The model with what is given changed; its times stay.

    Raises:
        ParamConflict: A param of that key has another value.
    """
    model = with_texts(model, params, tags)
    if status is not None:
        model = replace(model, status=LoggedModelStatus.check(status))
    if status_message is not None:
        model = replace(model, status_message=status_message)
    return model


def with_texts(model: LoggedModel, params: Sequence[Param], tags: Sequence[Tag]) -> LoggedModel:
    """The model with more params, and with these tags instead of those of the same keys.

    Raises:
        ParamConflict: A param of that key has another value.
    """
    kept = with_params(model.params, params, f"logged model {model.model_id}")
    return replace(model, params=kept, tags={**model.tags, **{tag.key: tag.value for tag in tags}})


def without_tag(model: LoggedModel, key: str) -> LoggedModel:
    """The model without a tag.

    Raises:
        NotFound: It has none of that key.
    """
    if key not in model.tags:
        raise NotFound(f"Logged model {model.model_id} has no tag {key!r}.")
    return replace(model, tags={name: kept for name, kept in model.tags.items() if name != key})


def with_points(model: LoggedModel, points: Iterable[Metric]) -> LoggedModel:
    """The model with more points, each once and in order of timestamp, step and key."""
    known = {_place(point): point for point in (*model.metrics, *points)}
    return replace(model, metrics=tuple(known[place] for place in sorted(known)))


def _place(point: Metric) -> tuple[object, ...]:
    """Where a point stands among those of its model, and what tells it from the others."""
    undefined = isnan(point.value)
    number = 0.0 if undefined else point.value
    source = point.dataset_name or "", point.dataset_digest or "", point.run_id or ""
    return point.timestamp, point.step, point.key, undefined, number, *source
