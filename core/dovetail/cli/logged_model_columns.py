"""Columns of a table of logged models: which there are, and what stands in them."""

from __future__ import annotations

from math import isnan
from typing import TYPE_CHECKING, Any

from dovetail import uris
from dovetail.cli import output
from dovetail.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from dovetail.tracking.filters import DatasetChoice
    from dovetail.values import LoggedModel, Metric

__all__ = ["Known", "column_names", "latest_points"]

STAGE = "lifecycle_stage"
ATTRIBUTES = (
    "model_id",
    "name",
    "status",
    "status_message",
    "model_type",
    "source_run_id",
    "experiment_id",
    "creation_timestamp",
    "last_updated_timestamp",
    "artifact_location",
    STAGE,
)
FAMILIES = ("metrics", "params", "tags")


def column_names(text: str) -> tuple[str, ...]:
    """The columns that are named, with commas between them, each once.

    Raises:
        InvalidInput: There is no such column, or none is named.
    """
    found = tuple(dict.fromkeys(each.strip() for each in text.split(",") if each.strip()))
    odd = [each for each in found if each not in ATTRIBUTES and not _of_family(each)]
    if odd or not found:
        what = f"{odd[0][:80]!r} is no column" if odd else f"--columns {text[:80]!r} names no columns"
        hint = f"There are metrics.KEY, params.KEY, tags.KEY, {', '.join(ATTRIBUTES)}."
        raise InvalidInput(f"{what} of logged models.", hint=hint)
    return found


def _of_family(column: str) -> bool:
    family, _, key = column.partition(".")
    return family in FAMILIES and bool(key)


def latest_points(points: Iterable[Metric], datasets: Sequence[DatasetChoice] = ()) -> dict[str, Metric]:
    """The latest point of each metric, by which models are ordered, too.

    Args:
        points: The points of a model.
        datasets: Only points measured on one of these count; none given, all do.
    """
    named = (point for point in points if not datasets or _measured(point, datasets))
    return {point.key: point for point in sorted(named, key=_rank)}


def _rank(point: Metric) -> tuple[int, int, bool, float]:
    """What says which point is later; of equals the higher one counts, and NaN is the lowest."""
    defined = not isnan(point.value)
    return point.timestamp, point.step, defined, point.value if defined else 0.0


def _measured(point: Metric, datasets: Sequence[DatasetChoice]) -> bool:
    return any(choice.admits(point.dataset_name, point.dataset_digest) for choice in datasets)


class Known:
    """A logged model with what is not part of it: whether it lies in the bin, and which points count.

    Args:
        model: The model.
        binned: The ids of models that lie in the bin.
        datasets: Only points measured on one of these count; none given, all do.

    Attributes:
        model: The model.
        metrics: The latest value of each metric.
        stage: ``active`` or ``deleted``.
    """

    def __init__(self, model: LoggedModel, binned: Collection[str], datasets: Sequence[DatasetChoice] = ()) -> None:
        self.model = model
        self.metrics = {key: point.value for key, point in latest_points(model.metrics, datasets).items()}
        self.stage = "deleted" if model.model_id in binned else "active"

    def to_dictionary(self) -> dict[str, Any]:
        """The model as plain nested dicts, with its stage."""
        return {**self.model.to_dictionary(), STAGE: self.stage}

    def value(self, column: str) -> Any:
        """What stands in a column; None where there is nothing."""
        family, dot, key = column.partition(".")
        if dot:
            held = self.metrics if family == "metrics" else getattr(self.model, family)
            return held.get(key)
        if column == "status":
            return self.model.status.value
        return self.stage if column == STAGE else getattr(self.model, column)

    def cell(self, column: str) -> str:
        """The same for people."""
        value = self.value(column)
        if column.endswith("_timestamp"):
            return output.ago(value)
        if isinstance(value, float):
            return output.number(value)
        return uris.masked(value) if value else "-"
