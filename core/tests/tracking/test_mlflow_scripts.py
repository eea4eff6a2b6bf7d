"""What scripts written for MLflow do, with the one line changed: ``import dovetail as mlflow``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import dovetail as mlflow

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable

pytestmark = pytest.mark.usefixtures("store")


def test_the_first_script_anybody_writes() -> None:
    val_loss = 0.123
    with mlflow.start_run():
        mlflow.log_param("lr", 0.001)
        # Your ml code
        mlflow.log_metric("val_loss", val_loss)

    client = mlflow.tracking.MlflowClient()
    experiment_id = "0"
    best_run = client.search_runs(experiment_id, order_by=["metrics.val_loss ASC"], max_results=1)[0]
    assert best_run.data.metrics == {"val_loss": 0.123}
    assert best_run.data.params == {"lr": "0.001"}
    assert best_run.info.run_id in str(best_run.info)


def test_an_experiment_with_a_place_of_its_own_for_artifacts() -> None:
    experiment_name = "your_experiment_name"
    mlflow.create_experiment(experiment_name, artifact_location="kept://your-bucket")
    mlflow.set_experiment(experiment_name)
    with mlflow.start_run() as run:
        assert run.info.artifact_uri == f"kept://your-bucket/{run.info.run_id}/artifacts"


def test_child_runs_for_the_folds_of_a_cross_validation() -> None:
    with mlflow.start_run(run_name="cross-validation") as parent:
        for fold in range(3):
            with mlflow.start_run(run_name=f"fold {fold}", nested=True):
                mlflow.log_metric("acc", 0.8 + fold / 100)
    folds = mlflow.search_runs(
        filter_string=f"tags.mlflow.parentRunId = '{parent.info.run_id}'",
        order_by=["metrics.acc"],
        output_format="list",
    )
    assert [run.info.run_name for run in folds] == ["fold 0", "fold 1", "fold 2"]


def test_a_note_and_tags_to_search_by() -> None:
    with mlflow.start_run(tags={"team": "wine"}) as run:
        mlflow.set_tag("mlflow.note.content", "The first run that **converges**.")
    [found] = mlflow.search_runs(filter_string="tags.team = 'wine'", output_format="list")
    assert found.info.run_id == run.info.run_id
    assert found.data.tags["mlflow.note.content"].startswith("The first")


def test_several_runs_of_one_program() -> None:
    for lr in (0.1, 0.01):
        with mlflow.start_run():
            mlflow.log_param("lr", lr)
    assert {run.data.params["lr"] for run in mlflow.search_runs(output_format="list")} == {"0.1", "0.01"}


def test_errors_are_caught_by_the_name_they_have_there() -> None:
    with pytest.raises(mlflow.MlflowException) as caught:
        mlflow.get_run("f" * 32)
    assert caught.value.error_code == "RESOURCE_DOES_NOT_EXIST"


@pytest.mark.parametrize(
    "line",
    [
        "from dovetail.tracking import MlflowClient; MlflowClient()",
        "import dovetail.tracking as t; t.MlflowClient()",
        "import dovetail.tracking; dovetail.tracking.set_tracking_uri('memory://x')",
        "from dovetail.tracking import get_tracking_uri; get_tracking_uri()",
        "from dovetail import MlflowClient, MlflowException, log_metric, start_run",
    ],
)
def test_forms_of_import(line: str, script: Callable[..., subprocess.CompletedProcess[str]]) -> None:
    script(line)


def test_what_is_not_there_is_not_there() -> None:
    with pytest.raises(AttributeError, match="no_such_verb"):
        _ = mlflow.tracking.no_such_verb
