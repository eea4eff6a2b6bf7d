"""``synchronous=`` as MLflow's scripts give it: what a call waits for, and what it answers with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

import dovetail as mlflow
from dovetail.errors import InvalidInput, ParamConflict
from dovetail.tracking import operations
from dovetail.tracking.operations import RunOperations

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

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


@pytest.fixture
def chosen() -> Iterator[None]:
    """The choice for this process is forgotten afterwards."""
    yield
    operations.enable_async_logging(False)


@pytest.mark.parametrize("call", FLUENT)
@pytest.mark.parametrize("synchronous", [True, None, False])
def test_of_fluent_verbs(call: Callable[[bool | None], Any], synchronous: bool | None) -> None:
    with mlflow.start_run(log_system_metrics=False) as run:
        answer = call(synchronous)
        assert isinstance(answer, RunOperations) == (synchronous is False)
        if isinstance(answer, RunOperations):
            answer.wait()
        assert logged(run.info.run_id)


@pytest.mark.parametrize("call", EXPLICIT)
@pytest.mark.parametrize("synchronous", [True, None, False])
def test_of_the_client(call: Callable[[str, bool | None], Any], synchronous: bool | None) -> None:
    run_id = mlflow.MlflowClient().create_run("0").info.run_id
    answer = call(run_id, synchronous)
    assert isinstance(answer, RunOperations) == (synchronous is False)
    if isinstance(answer, RunOperations):
        answer.wait()
    assert logged(run_id)


@pytest.mark.usefixtures("chosen")
def test_it_can_be_chosen_for_all_calls() -> None:
    mlflow.config.enable_async_logging()
    with mlflow.start_run() as run:
        assert isinstance(mlflow.log_metric("loss", 0.5), RunOperations)
        assert mlflow.log_metric("loss", 0.4, 1, synchronous=True) is None
        mlflow.flush_async_logging()
        assert logged(run.info.run_id)
        mlflow.config.enable_async_logging(False)
        assert mlflow.log_metric("loss", 0.3, 2) is None


@pytest.mark.parametrize("synchronous", [True, None, False])
def test_what_cannot_be_logged_is_said_at_the_call(synchronous: bool | None) -> None:
    with mlflow.start_run():
        mlflow.log_param("lr", 1)
        with pytest.raises(ParamConflict):
            mlflow.log_param("lr", 2, synchronous)
        with pytest.raises(InvalidInput):
            mlflow.log_metric("loss", "low", synchronous=synchronous)  # type: ignore[arg-type]


def test_images_in_the_background() -> None:
    pytest.importorskip("PIL")
    with mlflow.start_run() as run:
        answers = [mlflow.log_image([[0.5]], f"{number}.png", synchronous=False) for number in range(3)]
        for answer in answers:
            assert answer is not None
            answer.wait()
        mlflow.flush_artifact_async_logging()
        assert len(mlflow.MlflowClient().list_artifacts(run.info.run_id)) == 3


def test_a_failure_in_the_background_is_raised_where_it_is_waited_for() -> None:
    with mlflow.start_run():
        answer = mlflow.log_image("no image", "a.png", synchronous=False)
        assert answer is not None
        with pytest.raises(InvalidInput):
            answer.wait()
        with pytest.raises(InvalidInput):
            mlflow.flush_artifact_async_logging()
