"""What is written to a run in one go."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dovetail.errors import InvalidInput
from dovetail.values.measure import Metric, MetricColumns, Param, Tag
from dovetail.values.names import MAX_INT, check_text
from dovetail.values.value import Value

if TYPE_CHECKING:
    from dovetail.values.ending import Ending

__all__ = ["Batch", "JournalMark"]

_MAX_WRITER = 256


@dataclass(frozen=True, repr=False)
class Batch(Value):
    """Metrics, params and tags of one run, and maybe its end, that are stored together or not at all.

    Args:
        metrics: Points.
        params: Params.
        tags: Tags.
        columns: More points, of many to a metric: what a journal held. They are checked already.
        end: How the run ends with all this.

    Raises:
        InvalidInput: One param key stands in it twice with different values.
    """

    metrics: tuple[Metric, ...] = ()
    params: tuple[Param, ...] = ()
    tags: tuple[Tag, ...] = ()
    columns: tuple[MetricColumns, ...] = ()
    end: Ending | None = None

    def __post_init__(self) -> None:
        for name, kind in (("metrics", Metric), ("params", Param), ("tags", Tag)):
            self.__dict__[name] = _members(getattr(self, name), kind)
        _check_params(self.params)

    def __len__(self) -> int:
        return self.measured + len(self.params) + len(self.tags) + (self.end is not None)

    @property
    def measured(self) -> int:
        """How many points there are."""
        return len(self.metrics) + sum(len(each.values) for each in self.columns)

    def points(self) -> tuple[Metric, ...]:
        """All points, those of the columns too."""
        if not self.columns:
            return self.metrics
        return (*self.metrics, *(point for each in self.columns for point in each.points()))


def _members(members: object, kind: type) -> tuple[object, ...]:
    if not isinstance(members, Iterable) or isinstance(members, kind):
        raise InvalidInput(f"A batch takes several {kind.__name__} values here, not one {type(members).__name__}.")
    found = tuple(members)
    for member in found:
        if not isinstance(member, kind):
            raise InvalidInput(f"A batch holds {kind.__name__} values here, not {type(member).__name__}.")
    return found


def _check_params(params: tuple[Param, ...]) -> None:
    seen: dict[str, str] = {}
    for param in params:
        if seen.setdefault(param.key, param.value) != param.value:
            raise InvalidInput(
                f"Param {param.key!r} stands in one batch twice, as {seen[param.key]!r} and as {param.value!r}.",
                hint="Params are written once; use different keys.",
            )


@dataclass(frozen=True, repr=False)
class JournalMark(Value):
    """Which record of which journal a batch is, so that replaying it changes nothing.

    Args:
        writer: The journal file's random id; one process writes one file.
        sequence: The batch's number in that file, counting up from 1.

    Raises:
        InvalidInput: One of them is none that a store can keep.
    """

    writer: str
    sequence: int

    def __post_init__(self) -> None:
        check_text("writer of a journal mark", self.writer, _MAX_WRITER)
        if not self.writer or not 1 <= self.sequence <= MAX_INT:
            raise InvalidInput(f"{self!r} is no journal mark; it needs a writer and a sequence of at least 1.")
