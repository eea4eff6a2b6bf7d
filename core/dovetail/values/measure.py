"""What a run logs: metrics, params and tags."""

from __future__ import annotations

import reprlib
import time
import warnings
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from dovetail.errors import InvalidInput
from dovetail.values.names import (
    MAX_DATASET_DIGEST,
    MAX_DATASET_NAME,
    MAX_INT,
    MAX_PARAM_VALUE,
    MAX_TAG_VALUE,
    check_key,
    check_model_id,
    check_text,
    is_plain,
)
from dovetail.values.value import Value

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from typing_extensions import Self

__all__ = ["Metric", "MetricColumns", "Param", "Tag", "now_ms"]

_NO_NUMBERS = (str, bytes, bytearray, memoryview)  # float() would read the digits in them


def now_ms() -> int:
    """The present time in milliseconds since 1970, UTC."""
    return time.time_ns() // 1_000_000


@dataclass(frozen=True, repr=False, init=False)
class Metric(Value):
    """One point of a metric's history.

    Args:
        key: The metric's name.
        value: The measured number; NaN and the infinities are kept as they are.
        timestamp: Milliseconds since 1970, UTC; the present time if absent.
        step: The training step it belongs to; any whole number.
        model_id: The logged model that was measured; the point is also one of the model's.
        dataset_name: The dataset it was measured on.
        dataset_digest: That dataset's digest; name and digest are given together.
        run_id: The run that logged it; only points of a logged model say so, and only when they are read.

    Raises:
        InvalidInput: The value is no number, timestamp or step are no whole numbers in range, or one of the links is
            not an id, name or digest.
    """

    key: str
    value: float
    timestamp: int
    step: int = 0
    model_id: str | None = None
    dataset_name: str | None = None
    dataset_digest: str | None = None
    run_id: str | None = None

    # Written out, since training loops make nothing as often: what dataclasses write takes twice as long.
    def __init__(
        self,
        key: str,
        value: float,
        timestamp: int | None = None,
        step: int | None = 0,
        model_id: str | None = None,
        dataset_name: str | None = None,
        dataset_digest: str | None = None,
        run_id: str | None = None,
    ) -> None:
        fields = self.__dict__
        fields["key"] = check_key("metric", key)
        fields["value"] = _number(key, value)
        fields["timestamp"] = now_ms() if timestamp is None else _whole("timestamp", key, timestamp, 0)
        fields["step"] = 0 if step is None else _whole("step", key, step, -MAX_INT - 1)
        fields["model_id"] = model_id
        fields["dataset_name"] = dataset_name
        fields["dataset_digest"] = dataset_digest
        fields["run_id"] = run_id
        if model_id is not None or dataset_name is not None or dataset_digest is not None:
            _check_links(self)

    def _facts(self) -> Mapping[str, object]:
        """Links are left out where there are none."""
        return {name: value for name, value in super()._facts().items() if value is not None}


class MetricColumns(NamedTuple):
    """Points of one metric as columns of equal length, in the order in which they were logged.

    Args:
        key: The metric's name.
        timestamps: Milliseconds since 1970, UTC.
        steps: The training steps.
        values: The measured numbers.
    """

    key: str
    timestamps: Sequence[int]
    steps: Sequence[int]
    values: Sequence[float]

    def points(self) -> Iterator[Metric]:
        """The points as values of their own."""
        for timestamp, step, value in zip(self.timestamps, self.steps, self.values, strict=True):
            yield Metric.stored(key=self.key, value=value, timestamp=timestamp, step=step)


def _check_links(metric: Metric) -> None:
    if metric.model_id is not None:
        check_model_id(metric.model_id)
    if (metric.dataset_name is None) != (metric.dataset_digest is None):
        raise InvalidInput(f"Metric {metric.key!r} names a dataset by half: its name and its digest belong together.")
    if metric.dataset_name is not None:
        check_text(f"dataset name of metric {metric.key!r}", metric.dataset_name, MAX_DATASET_NAME)
        check_text(f"dataset digest of metric {metric.key!r}", metric.dataset_digest, MAX_DATASET_DIGEST)


def _number(key: str, value: Any) -> float:
    if type(value) is float:
        return value
    try:
        # Arrays and tensors of one element are that element; float() alone would read text in them, or warn.
        number = value.item() if hasattr(value, "shape") and hasattr(value, "item") else value
        if not isinstance(number, _NO_NUMBERS):
            return float(number)
    except (TypeError, ValueError, OverflowError, RuntimeError):
        pass
    raise InvalidInput(
        f"Metric {key!r} got {reprlib.repr(value)} ({type(value).__name__}); a metric value must be a number."
    )


def _whole(what: str, key: str, value: Any, least: int) -> int:
    if type(value) is int and least <= value <= MAX_INT:
        return value
    try:
        whole = int(value)
        exact = whole == value
    except (TypeError, ValueError, OverflowError):
        exact = False
    if isinstance(value, (*_NO_NUMBERS, bool)) or not exact or not least <= whole <= MAX_INT:
        raise InvalidInput(
            f"Metric {key!r} got {what} {reprlib.repr(value)}; it must be a whole number from {least} to {MAX_INT}."
        )
    return whole


@dataclass(frozen=True, repr=False)
class Param(Value):
    """An input of a run, written once.

    Args:
        key: The param's name.
        value: Its value as text, at most 6 000 characters.
    """

    key: str
    value: str

    def __post_init__(self) -> None:
        check_key("param", self.key)
        if not is_plain(self.value, MAX_PARAM_VALUE):
            check_text(f"value of param {self.key!r}", self.value, MAX_PARAM_VALUE)

    @classmethod
    def of(cls, key: str, value: object, *, cut: bool = True) -> Self:
        """Make a param from any object by its ``str``; see ``_fitted`` for values that are too long."""
        return cls(key, _fitted("param", key, str(value), MAX_PARAM_VALUE, cut=cut))


@dataclass(frozen=True, repr=False)
class Tag(Value):
    """A label of a run or an experiment that may change.

    Args:
        key: The tag's name; ``mlflow.*`` keys carry what MLflow's own tags mean.
        value: Its value as text, at most 8 000 characters.
        set_at: When it was set, in milliseconds since 1970, for one that reaches its store late: it takes no newer
            one's place there. None for one that is set now.
    """

    key: str
    value: str
    set_at: int | None = field(default=None, compare=False)

    def __post_init__(self) -> None:
        check_key("tag", self.key)
        if not is_plain(self.value, MAX_TAG_VALUE):
            check_text(f"value of tag {self.key!r}", self.value, MAX_TAG_VALUE)

    def __iter__(self) -> Iterator[tuple[str, Any]]:
        """Key and value, as in MLflow."""
        return iter(self._facts().items())

    def _facts(self) -> Mapping[str, object]:
        """When it was set matters to stores alone."""
        return {"key": self.key, "value": self.value}

    @classmethod
    def of(cls, key: str, value: object, *, cut: bool = True) -> Self:
        """Make a tag from any object by its ``str``; see ``_fitted`` for values that are too long."""
        return cls(key, _fitted("tag", key, str(value), MAX_TAG_VALUE, cut=cut))


def _fitted(what: str, key: str, value: str, limit: int, *, cut: bool) -> str:
    """Cut an over-long value to the limit with one warning, or leave it for the check to refuse."""
    if len(value) <= limit or not cut:
        return value
    warnings.warn(
        f"The value of {what} {key!r} has {len(value)} characters and was cut to {limit}; "
        "set DOVETAIL_TRUNCATE_LONG_VALUES=false to have it refused instead.",
        stacklevel=2,
    )
    return value[:limit]
