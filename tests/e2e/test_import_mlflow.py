"""What the real MLflow keeps, in a directory and in a database, comes here whole.

``DOVETAIL_TEST_MLFLOW_PYTHON`` names an interpreter that has MLflow.
"""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import dovetail

if TYPE_CHECKING:
    from dovetail.values import Run

VARIABLE = "DOVETAIL_TEST_MLFLOW_PYTHON"
WRITER = Path(__file__).parents[2] / "core/tests/tracking/syncing/mlflow_data/writer.py"
READER = """
import json, sys
import mlflow
client = mlflow.MlflowClient(sys.argv[1])
def told(run_id):
    run = client.get_run(run_id)
    histories = {
        key: [[repr(each.value), each.timestamp, each.step] for each in client.get_metric_history(run_id, key)]
        for key in run.data.metrics if key != "f1"
    }
    inputs = [[used.dataset.name, used.dataset.digest] for used in run.inputs.dataset_inputs]
    info = [run.info.run_name, run.info.status, run.info.start_time, run.info.end_time, run.info.user_id]
    return [info, run.data.params, run.data.tags, histories, inputs]
print(json.dumps({run_id: told(run_id) for run_id in sys.argv[2:]}))
"""

pytestmark = pytest.mark.timeout(600)


AGES = """
import json, sys, mlflow
found = mlflow.MlflowClient(sys.argv[1]).search_experiments()
print(json.dumps({each.name: each.creation_time for each in found}))
"""


@pytest.mark.parametrize("uri", ["sqlite:///mlflow.db", "file:mlruns"])
def test_what_mlflow_wrote_is_read_as_mlflow_reads_it(
    uri: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    written = json.loads(mlflow(str(WRITER), uri))
    runs = [run_id for name, run_id in written.items() if name != "model"]

    (tmp_path / "ours").mkdir()
    report = dovetail.import_mlflow(uri, f"sqlite:///{tmp_path}/ours/runs.db")

    assert (report.runs_created, report.models_created, report.versions_created) == (4, 1, 2)
    assert not report.refused
    client = dovetail.MlflowClient(f"sqlite:///{tmp_path}/ours/runs.db")
    theirs = json.loads(mlflow("-c", READER, uri, *runs))
    assert {run_id: told(client, client.get_run(run_id)) for run_id in runs} == theirs
    assert client.get_logged_model(written["model"]).params == {"trees": "7"}
    assert [each.path for each in client.list_artifacts(written["first"])] == ["notes"]
    ages = {each.name: each.creation_time for each in client.search_experiments() if each.name != "Default"}
    assert {**json.loads(mlflow("-c", AGES, uri)), **ages} == json.loads(mlflow("-c", AGES, uri))
    assert ages


def mlflow(*arguments: str) -> str:
    """Run a script with MLflow; the last line that it prints."""
    python = os.environ.get(VARIABLE)
    if not python:
        pytest.skip(f"{VARIABLE} is not set: let it name an interpreter with MLflow")
    env = {**os.environ, "MLFLOW_ALLOW_FILE_STORE": "true"}
    done = subprocess.run([python, "-W", "ignore", *arguments], capture_output=True, text=True, check=False, env=env)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()[-1]


def told(client: dovetail.MlflowClient, run: Run) -> list[Any]:
    histories = {
        key: [[repr(each.value), each.timestamp, each.step] for each in client.get_metric_history(run.info.run_id, key)]
        for key in run.data.metrics
        if key != "f1"  # of points that name a dataset, MLflow forgets the step when it reads a directory
    }
    inputs = [[used.dataset.name, used.dataset.digest] for used in run.inputs.dataset_inputs]
    info = [run.info.run_name, run.info.status, run.info.start_time, run.info.end_time, run.info.user_id]
    return [info, run.data.params, run.data.tags, histories, inputs]
