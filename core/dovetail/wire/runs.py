"""Runs in MLflow's JSON.

MLflow has no word for a run that CRASHED: it leaves as FAILED with a tag that says so, and is read back by that tag.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from dovetail.values.measure import now_ms
from dovetail.values.run import NewRun, Run, RunData, RunInfo
from dovetail.values.state import LifecycleStage, RunStatus
from dovetail.wire.answers import answer
from dovetail.wire.datasets import dump_inputs, dump_outputs, load_inputs, load_outputs
from dovetail.wire.fields import load_object, load_text
from dovetail.wire.labels import dump_labels, load_labels, load_tags
from dovetail.wire.metrics import dump_points
from dovetail.wire.numbers import load_float, load_int
from dovetail.wire.states import dump_status, load_status

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["STATUS_TAG", "dump_new_run", "dump_run", "dump_run_info", "load_new_run", "load_run", "load_run_info"]

STATUS_TAG = "dovetail.status"


def dump_new_run(run: NewRun) -> dict[str, Any]:
    """The request that creates a run, as MLflow's servers take it: they make the id, and it is RUNNING at first."""
    data: dict[str, Any] = {
        "experiment_id": run.experiment_id,
        "user_id": run.user_id,
        "run_name": run.run_name,
        "start_time": run.start_time,
    }
    if run.tags:
        data["tags"] = dump_labels(run.tags)
    return data


def load_new_run(data: object) -> NewRun:
    """The run that a client wants created, with a fresh id; it starts now where the client says nothing of that.

    Raises:
        InvalidInput: There is no experiment's id, or a field is not of its kind.
    """
    fields = load_object(data, "new run")
    start_time = fields.get("start_time")
    return NewRun(
        experiment_id=load_text(fields, "experiment_id"),
        run_name=load_text(fields, "run_name"),
        user_id=load_text(fields, "user_id"),
        start_time=now_ms() if start_time is None else load_int(start_time, "start_time"),
        tags=load_tags(fields.get("tags")),
    )


def dump_run_info(info: RunInfo) -> dict[str, Any]:
    """A run's metadata as MLflow gives it; the end time is left out where there is none."""
    data: dict[str, Any] = {
        "run_id": info.run_id,
        "run_uuid": info.run_id,
        "run_name": info.run_name,
        "experiment_id": info.experiment_id,
        "user_id": info.user_id,
        "status": dump_status(info.status),
        "start_time": info.start_time,
        "artifact_uri": info.artifact_uri,
        "lifecycle_stage": info.lifecycle_stage,
    }
    if info.end_time is not None:
        data["end_time"] = info.end_time
    return data


@answer("run")
def load_run_info(data: Any) -> RunInfo:
    """A run's metadata as a server answered with it; a run that CRASHED is FAILED here.

    Raises:
        StoreError: That is none.
    """
    end_time = data.get("end_time")
    return RunInfo.stored(
        run_id=data.get("run_id") or data.get("run_uuid", ""),
        experiment_id=str(data.get("experiment_id", "")),
        run_name=data.get("run_name", ""),
        user_id=data.get("user_id", ""),
        status=load_status(data.get("status")) or RunStatus.RUNNING,
        start_time=load_int(data.get("start_time", 0), "start_time"),
        end_time=None if end_time is None else load_int(end_time, "end_time"),
        artifact_uri=data.get("artifact_uri", ""),
        lifecycle_stage=data.get("lifecycle_stage") or LifecycleStage.ACTIVE,
    )


def dump_run(run: Run) -> dict[str, Any]:
    """A run as MLflow gives it; what it logged nothing of is left out."""
    info, logged = run.info, run.data
    data: dict[str, Any] = {}
    if logged.metrics:
        data["metrics"] = dump_points(_latest(logged))
    if logged.params:
        data["params"] = dump_labels(logged.params)
    if info.status == RunStatus.CRASHED:
        data["tags"] = dump_labels({**logged.tags, STATUS_TAG: RunStatus.CRASHED})
    elif logged.tags:
        data["tags"] = dump_labels(logged.tags)
    return {
        "info": dump_run_info(info),
        "data": data,
        "inputs": dump_inputs(run.inputs),
        "outputs": dump_outputs(run.outputs),
    }


def _latest(data: RunData) -> Iterable[tuple[str, float, int, int]]:
    """The latest points as key, value, timestamp and step; of values alone nobody knows the rest."""
    # What a store read goes out as it is: making values of it would take as long as all else.
    if (points := data.__dict__.get("_points")) is not None:
        return cast("Iterable[tuple[str, float, int, int]]", points)
    if not data.latest:
        return ((key, value, 0, 0) for key, value in data.metrics.items())
    return ((point.key, point.value, point.timestamp, point.step) for point in data.latest)


@answer("run")
def load_run(data: Any) -> Run:
    """A run as a server answered with it.

    Raises:
        StoreError: That is none.
    """
    info, logged = load_run_info(data.get("info") or {}), data.get("data") or {}
    tags = load_labels(logged.get("tags"))
    if info.status == RunStatus.FAILED and tags.get(STATUS_TAG) == RunStatus.CRASHED:
        del tags[STATUS_TAG]
        info = RunInfo.stored(**{**info.__dict__, "status": RunStatus.CRASHED})
    points = [_point(point) for point in logged.get("metrics") or ()]
    return Run.stored(
        info=info,
        data=RunData.read(points, load_labels(logged.get("params")), tags),
        inputs=load_inputs(data.get("inputs") or {}),
        outputs=load_outputs(data.get("outputs") or {}),
    )


def _point(data: Any) -> tuple[str, float, int, int]:
    value, timestamp, step = data.get("value", 0.0), data.get("timestamp", 0), data.get("step", 0)
    return (
        data.get("key", ""),
        value if type(value) is float else load_float(value, "value"),
        timestamp if type(timestamp) is int else load_int(timestamp, "timestamp"),
        step if type(step) is int else load_int(step, "step"),
    )
