"""What type checkers make of scripts that use dovetail in every way MLflow's scripts use MLflow."""

from __future__ import annotations

import ast
import inspect
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import dovetail

ROOT = Path(__file__).parents[2]
CORE = ROOT / "core" / "dovetail"
FACADES = ("pyfunc", "sklearn")

SCRIPT = """
import dovetail as mlflow
import dovetail.pyfunc
import dovetail.sklearn
from dovetail.client import MlflowClient
from dovetail.entities import Metric, Param, Run, RunStatus, RunTag, ViewType
from dovetail.entities.run_info import RunInfo
from dovetail.exceptions import ExecutionException, MlflowException, RestException
from dovetail.models import ModelSignature, get_model_info, infer_signature
from dovetail.models.signature import infer_signature as same
from dovetail.projects import SubmittedRun
from dovetail.tracking import MlflowClient as Again
from dovetail.tracking.fluent import log_metric
from dovetail.types import ColSpec, DataType, Schema
from dovetail.types.schema import Array
from dovetail.utils.mlflow_tags import MLFLOW_PARENT_RUN_ID


class Doubled(dovetail.pyfunc.PythonModel):
    def predict(self, context: object, model_input: list[float], params: object = None) -> list[float]:
        return [2 * each for each in model_input]


mlflow.config.set_tracking_uri("sqlite:///runs.db")
mlflow.set_experiment("wine")
with mlflow.start_run(run_name="forest", tags={MLFLOW_PARENT_RUN_ID: "a"}) as run:
    mlflow.log_param("depth", 3)
    mlflow.log_metric("loss", 0.5, step=1)
    log_metric("loss", 0.4, step=2)
    signature: ModelSignature = same([1.0], [2.0])
    dovetail.sklearn.log_model(object(), artifact_path="model", signature=signature)
    info = mlflow.sklearn.log_model(object(), "model", pip_requirements=["scikit-learn"])
    mlflow.pyfunc.log_model(python_model=Doubled(), name="doubled", input_example=[1.0])
client: MlflowClient = mlflow.tracking.MlflowClient()
client.log_batch(run.info.run_id, metrics=[Metric("loss", 0.3, 0, 3)], params=[Param("a", "1")], tags=[RunTag("b", "")])
found: list[Run] = list(client.search_runs(["0"], run_view_type=ViewType.ACTIVE_ONLY))
client.set_terminated(run.info.run_id, RunStatus.to_string(RunStatus.FAILED))
submitted: SubmittedRun = mlflow.projects.run(".", parameters={"alpha": 0.1}, synchronous=False)
schema = Schema([ColSpec(DataType.double, "x"), ColSpec(Array(DataType.string), "words")])
try:
    client.get_run("a")
except (RestException, ExecutionException, MlflowException) as error:
    print(error.error_code, error.get_http_status_code())
mlflow.doctor(mask_envs=True)
"""

# Expression -> what it must be; none of them may be ``Any``.
REVEALED = {
    "mlflow.entities.Metric": "dovetail.values.measure.Metric",
    "mlflow.entities.RunTag": "dovetail.values.measure.Tag",
    "mlflow.exceptions.MlflowException": "dovetail.errors.DovetailError",
    "mlflow.models.infer_signature": "dovetail.models.signature.ModelSignature",
    "mlflow.models.signature.infer_signature": "dovetail.models.signature.ModelSignature",
    "mlflow.projects.run": "dovetail.projects.submitted.SubmittedRun",
    "mlflow.pyfunc.log_model": "dovetail.models.info.ModelInfo",
    "mlflow.pyfunc.load_model": "dovetail.models.function.Function",
    "mlflow.sklearn.log_model": "dovetail.models.info.ModelInfo",
    "mlflow.start_run": "dovetail.tracking.runs.ActiveRun",
    "mlflow.tracking.MlflowClient": "dovetail.tracking.client.Client",
    "mlflow.tracking.client.MlflowClient": "dovetail.tracking.client.Client",
    "mlflow.types.schema.Schema": "dovetail.models.schema.Schema",
    "mlflow.utils.mlflow_tags.MLFLOW_RUN_NAME": "str",
    "info.model_uri": "str",
    "found[0].info": "dovetail.values.run.RunInfo",
    "client.get_metric_history": "list[dovetail.values.measure.Metric]",
    "signature.inputs": "dovetail.models.schema.Schema",
}
WRONG = """
import dovetail as mlflow

mlflow.start_run(nme="x")
mlflow.entities.Nonsense
mlflow.models.nonsense
mlflow.sklearn.log_model(object(), "model", nonsense=1)
mlflow.entities.Metric(1, 2.0)
"""


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("mypy")


def checked(script: str, folder: Path, cache: Path) -> list[str]:
    """What mypy says of a script, in its strictest mode and without the settings of this repository."""
    pytest.importorskip("mypy")
    path = folder / "script.py"
    path.write_text(script, encoding="utf-8")
    options = ["--strict", "--config-file=", f"--cache-dir={cache}", "--no-error-summary"]
    done = subprocess.run(
        [sys.executable, "-m", "mypy", *options, path.name], cwd=folder, capture_output=True, text=True, check=False
    )
    assert not done.stderr, done.stderr
    return done.stdout.splitlines()


def test_a_script_checks_strictly(tmp_path: Path, cache: Path) -> None:
    assert checked(SCRIPT, tmp_path, cache) == []


def test_nothing_that_scripts_use_is_any(tmp_path: Path, cache: Path) -> None:
    reveals = "\n".join(f"reveal_type({expression})" for expression in REVEALED)
    said = [line for line in checked(f"{SCRIPT}\n{reveals}\n", tmp_path, cache) if "Revealed" in line]
    assert len(said) == len(REVEALED)
    for line, (expression, kind) in zip(said, REVEALED.items(), strict=True):
        assert re.search(rf'(-> |"|, ){re.escape(kind)}( \|.*)?"$', line), f"{expression}: {line}"


def test_slips_of_the_pen_are_found(tmp_path: Path, cache: Path) -> None:
    wrong = {int(line.split(":")[1]) for line in checked(WRONG, tmp_path, cache) if ": error:" in line}
    assert wrong == {4, 5, 6, 7, 8}


def test_the_facades_files_are_fresh() -> None:
    for key in FACADES:
        pytest.importorskip(f"dovetail_{key}")
    done = subprocess.run(
        [sys.executable, "scripts/facades.py", "--check"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("key", FACADES)
def test_a_facade_takes_what_its_file_says(key: str) -> None:
    pytest.importorskip(f"dovetail_{key}")
    for node in ast.parse((CORE / f"{key}.pyi").read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef):
            parameters = inspect.signature(getattr(getattr(dovetail, key), node.name)).parameters
            written = {each.arg for each in (*node.args.args, *node.args.kwonlyargs)}
            assert written - {"artifact_path"} == set(parameters)
            assert {each.arg for each in node.args.args} == positional(parameters)


def positional(parameters: Any) -> set[str]:
    return {name for name, each in parameters.items() if each.kind is each.POSITIONAL_OR_KEYWORD}


def test_every_first_party_facade_is_seen_as_an_attribute() -> None:
    tree = ast.parse((CORE / "__init__.pyi").read_text(encoding="utf-8"))
    modules = [node for node in tree.body if isinstance(node, ast.ImportFrom) and node.module == "dovetail"]
    seen = {alias.name for node in modules for alias in node.names}
    assert {path.stem for path in CORE.glob("*.pyi")} - {"__init__"} == set(FACADES) & seen
    for name in seen - set(FACADES):
        assert name in dovetail._SUBMODULES, f"__init__.pyi names the module {name}, which is not there"
