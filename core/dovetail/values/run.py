"""Runs: one execution of data-science code and what it logged."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from dovetail.documents import shown
from dovetail.errors import InvalidInput
from dovetail.values.link import RunInputs, RunOutputs
from dovetail.values.measure import Metric, Tag, now_ms
from dovetail.values.names import MAX_TAG_VALUE, check_experiment_id, check_moment, check_run_id, check_text
from dovetail.values.state import LifecycleStage, RunStatus
from dovetail.values.value import Value

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from typing_extensions import Self

    from dovetail.values.lease import Lease

__all__ = ["NewRun", "Run", "RunData", "RunInfo", "new_run_id"]


def new_run_id() -> str:
    """A fresh run id: 32 hexadecimal digits. Clients make ids, stores accept them."""
    return os.urandom(16).hex()


@dataclass(frozen=True, repr=False)
class NewRun(Value):
    """What a store needs to create a run.

    Args:
        experiment_id: The experiment it goes into.
        run_id: Made by the client; creating a run whose id exists is an error.
        run_name: Shown to people; kept equal to the tag ``mlflow.runName``.
        user_id: Who started it.
        start_time: Milliseconds since 1970, UTC.
        status: Its first state, RUNNING or SCHEDULED.
        tags: Labels it starts with; ``mlflow.parentRunId`` makes it a child.
        lease: Which process sees to it; None if nobody says.

    Raises:
        InvalidInput: A field is not of its kind, too long, or cannot be stored.
    """

    experiment_id: str
    run_id: str = field(default_factory=new_run_id)
    run_name: str = ""
    user_id: str = ""
    start_time: int = field(default_factory=now_ms)
    status: str = RunStatus.RUNNING
    tags: tuple[Tag, ...] = ()
    lease: Lease | None = None

    def __post_init__(self) -> None:
        self.__dict__["experiment_id"] = check_experiment_id(self.experiment_id)
        check_run_id(self.run_id)
        check_text("run name", self.run_name, MAX_TAG_VALUE)
        check_text("user id", self.user_id, MAX_TAG_VALUE)
        check_moment("start time", self.start_time)
        self.__dict__["status"] = RunStatus.check(self.status)
        self.__dict__["tags"] = tuple(self.tags)
        if not all(isinstance(tag, Tag) for tag in self.tags):
            raise InvalidInput(f"The tags of a new run must be Tag values, not {shown(self.tags)}.")


@dataclass(frozen=True, repr=False)
class RunInfo(Value):
    """A run's metadata.

    Args:
        run_id: The run's id.
        experiment_id: The experiment it lies in.
        run_name: Shown to people.
        user_id: Who started it.
        status: One of ``RunStatus.ALL``.
        start_time: Milliseconds since 1970, UTC.
        end_time: Milliseconds since 1970, UTC; None while it runs.
        artifact_uri: URI of the folder its artifacts lie under.
        lifecycle_stage: ``active`` or ``deleted``.
    """

    run_id: str
    experiment_id: str
    run_name: str = ""
    user_id: str = ""
    status: str = RunStatus.RUNNING
    start_time: int = 0
    end_time: int | None = None
    artifact_uri: str = ""
    lifecycle_stage: str = LifecycleStage.ACTIVE

    def _facts(self) -> Mapping[str, object]:
        from dovetail.values.summary import moment

        times = {"start_time": moment(self.start_time), "end_time": moment(self.end_time)}
        return {**_headline(self), **times, "artifact_uri": self.artifact_uri or None}

    @property
    def run_uuid(self) -> str:
        """The run id under its old name."""
        return self.run_id


@dataclass(frozen=True, repr=False)
class RunData(Value):
    """What a run logged: the latest value of each metric, all params, all tags."""

    metrics: dict[str, float] = field(default_factory=dict)
    params: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    # The latest points with step and timestamp, for those who need more than the value. No default in the class:
    # only what is missing is asked of __getattr__.
    latest: tuple[Metric, ...] = field(default_factory=tuple)

    @classmethod
    def read(cls, points: Sequence[tuple[str, float, int, int]], params: dict[str, str], tags: dict[str, str]) -> Self:
        """What a store read, unchecked: the latest points as key, value, timestamp and step.

        They become ``Metric`` values when somebody asks for them: few do, and a page of runs would be made of little
        else.
        """
        metrics = {point[0]: point[1] for point in points}
        return cls.stored(metrics=metrics, params=params, tags=tags, _points=points)

    def __getattr__(self, name: str) -> Any:
        if name != "latest" or "_points" not in self.__dict__:
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        made = (
            Metric.stored(key=key, value=value, timestamp=timestamp, step=step)
            for key, value, timestamp, step in self.__dict__["_points"]
        )
        self.__dict__["latest"] = latest = tuple(made)
        return latest

    def _facts(self) -> Mapping[str, object]:
        return self.to_dictionary()

    def to_dictionary(self) -> dict[str, dict[str, float] | dict[str, str]]:
        """Metrics, params and tags as plain dicts."""
        return {"metrics": dict(self.metrics), "params": dict(self.params), "tags": dict(self.tags)}


@dataclass(frozen=True, repr=False)
class Run(Value):
    """A run: what it is (``info``), what it logged (``data``), what it used and made (``inputs``, ``outputs``)."""

    info: RunInfo
    data: RunData = field(default_factory=RunData)
    inputs: RunInputs = field(default_factory=RunInputs)
    outputs: RunOutputs = field(default_factory=RunOutputs)

    def _facts(self) -> Mapping[str, object]:
        logged = {"metrics": self.data.metrics or None, "params": self.data.params or None}
        return {**_headline(self.info), **logged}

    def _repr_html_(self) -> str:
        """What notebooks show."""
        from dovetail.values.notebook import run_html

        return run_html(self)

    def to_dictionary(self) -> dict[str, dict[str, object]]:
        """The run as plain nested dicts, as MLflow gives it."""
        return {
            "info": dict(self.info.__dict__),
            "data": dict(self.data.to_dictionary()),
            "inputs": self.inputs.to_dictionary(),
            "outputs": self.outputs.to_dictionary(),
        }


def _headline(info: RunInfo) -> Mapping[str, object]:
    return {
        "run_id": info.run_id,
        "run_name": info.run_name or None,
        "status": info.status,
        "experiment_id": info.experiment_id,
        "lifecycle_stage": None if info.lifecycle_stage == LifecycleStage.ACTIVE else info.lifecycle_stage,
    }
