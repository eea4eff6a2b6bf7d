"""``synchronous=`` as MLflow's scripts give it: what asks for the usual is taken, what is not here yet is said."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

import dovetail as mlflow
from dovetail.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.usefixtures("store")

FLUENT: list[Callable[[bool | None], Any]] = [
    lambda synchronous: mlflow.log_metric("loss", 0.5, 1, synchronous),
    lambda synchronous: mlflow.log_metrics({"loss": 0.5}, 1, synchronous),
    lambda synchronous: mlflow.log_param("lr", 1, synchronous),
    lambda synchronous: mlflow.log_params({"lr": 1}, synchronous),
    lambda synchronous: mlflow.set_tag("a", "b", synchronous),
    lambda synchronous: mlflow.set_tags({"a": "b"}, synchronous),
]
EXPLICIT: list[Callable[[str, bool | None], Any]] = [
    lambda run_id, synchronous: mlflow.MlflowClient().log_metric(run_id, "loss", 0.5, synchronous=synchronous),
    lambda run_id, synchronous: mlflow.MlflowClient().log_param(run_id, "lr", 1, synchronous),
    lambda run_id, synchronous: mlflow.MlflowClient().set_tag(run_id, "a", "b", synchronous),
    lambda run_id, synchronous: mlflow.MlflowClient().log_batch(
        run_id, params=[mlflow.Param("lr", "1")], synchronous=synchronous
    ),
]


def logged(run_id: str) -> bool:
    data = mlflow.get_run(run_id).data
    return bool(data.metrics or data.params or "a" in data.tags)


@pytest.mark.parametrize("call", FLUENT)
def test_of_fluent_verbs(call: Callable[[bool | None], Any]) -> None:
    with mlflow.start_run(log_system_metrics=False) as run:
        with pytest.raises(InvalidInput, match="asynchronous"):
            call(False)
        assert not logged(run.info.run_id)
        for synchronous in (True, None):
            call(synchronous)
        assert logged(run.info.run_id)


@pytest.mark.parametrize("call", EXPLICIT)
def test_of_the_client(call: Callable[[str, bool | None], Any]) -> None:
    run_id = mlflow.MlflowClient().create_run("0").info.run_id
    with pytest.raises(InvalidInput, match="asynchronous"):
        call(run_id, False)
    assert not logged(run_id)
    for synchronous in (True, None):
        call(run_id, synchronous)
    assert logged(run_id)


def test_metrics_of_the_machine_are_said_to_be_missing() -> None:
    with pytest.raises(InvalidInput, match="metrics of the machine"):
        mlflow.start_run(log_system_metrics=True)
    assert mlflow.active_run() is None
