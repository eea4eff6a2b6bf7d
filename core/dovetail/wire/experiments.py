"""Experiments in MLflow's JSON."""

from __future__ import annotations

from typing import Any

from dovetail.values.experiment import Experiment
from dovetail.values.state import LifecycleStage
from dovetail.wire.answers import answer
from dovetail.wire.labels import dump_labels, load_labels
from dovetail.wire.numbers import load_int

__all__ = ["dump_experiment", "load_experiment"]


def dump_experiment(experiment: Experiment) -> dict[str, Any]:
    """An experiment as MLflow gives it; times and tags are left out where there are none."""
    data: dict[str, Any] = {
        "experiment_id": experiment.experiment_id,
        "name": experiment.name,
        "artifact_location": experiment.artifact_location,
        "lifecycle_stage": experiment.lifecycle_stage,
    }
    if experiment.last_update_time is not None:
        data["last_update_time"] = experiment.last_update_time
    if experiment.creation_time is not None:
        data["creation_time"] = experiment.creation_time
    if experiment.tags:
        data["tags"] = dump_labels(experiment.tags)
    return data


@answer("experiment")
def load_experiment(data: Any) -> Experiment:
    """An experiment as a server answered with it.

    Raises:
        StoreError: That is none.
    """
    return Experiment.stored(
        experiment_id=str(data.get("experiment_id", "")),
        name=data.get("name", ""),
        artifact_location=data.get("artifact_location", ""),
        lifecycle_stage=data.get("lifecycle_stage") or LifecycleStage.ACTIVE,
        tags=load_labels(data.get("tags")),
        creation_time=_time(data, "creation_time"),
        last_update_time=_time(data, "last_update_time"),
    )


def _time(data: Any, name: str) -> int | None:
    time = data.get(name)
    return None if time is None else load_int(time, name)
