"""Fill a place with what MLflow writes; run by an interpreter that has MLflow: ``writer.py <tracking URI>``.

``mlflow.sql`` and ``tree`` beside this file were written by it, with MLflow 3.17.2; the database is kept as the
statements that make those of its tables that are read, and the paths of the machine were replaced.
"""

from __future__ import annotations

import json
import sys
import warnings
from contextlib import suppress

warnings.simplefilter("ignore")

import mlflow  # noqa: E402
import pandas as pd  # noqa: E402
from mlflow.entities import LoggedModelOutput  # noqa: E402


def main(uri: str) -> None:
    mlflow.set_tracking_uri(uri)
    client = mlflow.MlflowClient(uri)
    mlflow.set_experiment("wine")
    mlflow.set_experiment_tag("team", "cellar")
    grapes = mlflow.data.from_pandas(pd.DataFrame({"acid": [1.0, 2.0], "good": [0, 1]}), name="grapes")
    with mlflow.start_run(run_name="first") as run:
        mlflow.log_params({"lr": 0.1, "deep/er": "yes"})
        mlflow.set_tags({"colour": "red", "note": "two\nlines"})
        mlflow.log_input(grapes, context="training", tags={"fold": "1"})
        for step in range(5):
            mlflow.log_metric("loss", 1 / (step + 1), step=step)
        mlflow.log_metric("val/acc", float("nan"), step=0)
        mlflow.log_metric("val/acc", -0.5, step=2)
        mlflow.log_text("hello", "notes/hello.txt")
        model = mlflow.initialize_logged_model(
            "forest", params={"trees": "7"}, tags={"kind": "small"}, model_type="classifier"
        )
        mlflow.log_metric("f1", 0.9, step=1, model_id=model.model_id, dataset=grapes)
        mlflow.finalize_logged_model(model.model_id, "READY")
        with mlflow.start_run(run_name="child", nested=True) as child:
            mlflow.log_metric("loss", 2.0)
    client.log_outputs(run.info.run_id, [LoggedModelOutput(model.model_id, 4)])
    with suppress(ZeroDivisionError), mlflow.start_run(run_name="broken") as broken:
        mlflow.log_param("lr", 1 / 0)
    going = client.create_run("0", run_name="in Default")
    client.log_metric(going.info.run_id, "x", 1.5)
    client.log_text(going.info.run_id, "still here", "here.txt")
    client.delete_run(client.create_run("0", run_name="gone").info.run_id)
    client.delete_experiment(client.create_experiment("thrown away"))
    register(client, run.info.run_id)
    runs = [run, child, broken, going]
    sys.stdout.write(json.dumps({"model": model.model_id, **{each.info.run_name: each.info.run_id for each in runs}}))


def register(client: mlflow.MlflowClient, run_id: str) -> None:
    client.create_registered_model("wine", tags={"owner": "ann"}, description="reds")
    for number in (1, 2, 3):
        source = f"runs:/{run_id}/model{number}"
        client.create_model_version("wine", source, run_id, tags={"n": str(number)}, description=f"number {number}")
    client.delete_model_version("wine", "2")
    client.set_registered_model_alias("wine", "champion", "3")
    client.transition_model_version_stage("wine", "1", "Production")
    client.create_registered_model("empty")


main(sys.argv[1])
