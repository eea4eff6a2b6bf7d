"""MLflow's own clients, old and new and unchanged, against the server on SQLite and on PostgreSQL."""

from __future__ import annotations

import json
import os
import subprocess
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

pytest.importorskip("dovetail_server")

import dovetail
from dovetail.tracking import places
from dovetail_server.testing import Server

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

VARIABLE = "DOVETAIL_TEST_MLFLOW_CLIENTS"
SCRIPT = Path(__file__).with_name("mlflow_client.py")
PYTHONS = [each for each in os.environ.get(VARIABLE, "").split(os.pathsep) if each]

pytestmark = [
    pytest.mark.timeout(300),
    pytest.mark.skipif(not PYTHONS, reason=f"{VARIABLE} is not set: let it name interpreters with mlflow-skinny"),
]


@pytest.fixture(params=["sqlite", "postgresql"])
def store_uri(request: pytest.FixtureRequest, service: Callable[[str], str], tmp_path: Path) -> Iterator[str]:
    """A store of each engine that servers stand on."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/runs.db"
        return
    import psycopg

    schema = f"t{uuid.uuid4().hex[:12]}"
    with psycopg.connect(service("POSTGRES_URL"), autocommit=True) as connection:
        connection.execute(f"CREATE SCHEMA {schema}")
        yield f"{service('POSTGRES_URL')}?options=-csearch_path%3D{schema}"
        places.forget_places()
        connection.execute(f"DROP SCHEMA {schema} CASCADE")


@pytest.fixture
def server(store_uri: str, tmp_path: Path) -> Iterator[Server]:
    options = ["--backend-store-uri", store_uri, "--artifacts-destination", str(tmp_path / "artifacts")]
    with Server(tmp_path, *options) as found:
        yield found
    places.forget_places()


@pytest.mark.parametrize("python", PYTHONS)
def test_does_all_that_it_does_with_its_own_server(python: str, server: Server, store_uri: str, tmp_path: Path) -> None:
    name = f"clients-{uuid.uuid4().hex[:8]}"
    told = client(python, server.url, name, tmp_path)
    run_id, child_id = told["ids"]
    runs = told["runs"]
    assert (runs["name"], runs["status"]) == ("parent", "FINISHED")
    assert runs["params"] == {"lr": "0.1", "layers": "3", "name": "größe"}
    assert runs["metrics"] == {"loss": "0.2", "nan": "nan", "top": "inf"}
    assert runs["tags"] == {"team": "blue", "stage": "test", "a": "1", "mlflow.note.content": "said"}
    assert runs["history"] == [[step, 1 / (step + 1)] for step in range(5)]
    assert runs["files"] == ["config.json", "files", "notes"]
    assert runs["sizes"] == [["files/sub/data.bin", 256 * 5000]]
    assert (runs["bytes"], runs["text"]) == (True, "hello")
    assert runs["search"] == [["child", "parent"], ["parent"], ["parent"], []]
    assert runs["pages"] == [1, 1]
    bad = "INVALID_PARAMETER_VALUE"
    assert runs["refused"] == ["RESOURCE_DOES_NOT_EXIST", bad, bad, bad, True]
    assert runs["deleted"] == ["child"]
    info = ["renamed", "FINISHED", 1_700_000_000_000, 1_700_000_001_000]
    assert told["batches"] == {"points": 1000, "params": 100, "info": info}
    experiments = told["experiments"]
    assert experiments["refused"] == ["RESOURCE_ALREADY_EXISTS", "RESOURCE_DOES_NOT_EXIST"]
    assert (experiments["gone"], experiments["found"], experiments["none"]) == ("deleted", True, None)
    assert {key: experiments["tags"][key] for key in "kl"} == {"k": "v", "l": "w"}
    registry = told["registry"]
    assert registry["refused"] == ["RESOURCE_ALREADY_EXISTS", "RESOURCE_DOES_NOT_EXIST", bad, bad, bad]
    assert registry["stages"] == ["Archived", "Production"]
    assert (registry["latest"], registry["versions"], registry["alias"]) == (["2"], ["1", "2"], "1")
    assert (registry["models"], registry["place"], registry["end"]) == ([f"{name}-model"], True, [])
    if "logged_models" in told:
        logged = told["logged_models"]
        assert logged["status"].endswith("READY")
        assert (logged["params"], logged["tags"]) == ({"depth": "3"}, {"t": None, "u": "2"})
        assert (logged["metrics"], logged["found"]) == ([["acc", 0.9]], True)
        assert logged["gone"] == "RESOURCE_DOES_NOT_EXIST"

    store = dovetail.Client(store_uri)
    assert store.get_run(child_id).info.status == "FAILED"
    assert store.get_run(run_id).data.params == runs["params"]
    assert [point.value for point in store.get_metric_history(run_id, "loss")] == [1 / (step + 1) for step in range(5)]


@pytest.mark.parametrize("python", PYTHONS)
def test_asks_a_server_for_artifacts_alone_but_once_for_runs(python: str, tmp_path: Path) -> None:
    asked = "import mlflow; mlflow.MlflowClient().create_experiment('wine')"
    options = ["--artifacts-only", "--artifacts-destination", str(tmp_path / "artifacts")]
    with Server(tmp_path, *options) as server:
        env = {**os.environ, "MLFLOW_TRACKING_URI": server.url, "GIT_PYTHON_REFRESH": "quiet"}
        done = subprocess.run([python, "-c", asked], env=env, capture_output=True, text=True, check=False)
        _, counts = server.ask("GET", "/metrics")
    counted = [line for line in counts.splitlines() if 'status="501"' in line]
    assert "--artifacts-only" in done.stderr
    assert [line.rpartition(" ")[2] for line in counted] == ["1"]


def client(python: str, url: str, name: str, folder: Path) -> Any:
    """What the client says that it read."""
    env = {key: value for key, value in os.environ.items() if not key.startswith(("MLFLOW_", "DOVETAIL_"))}
    env |= {"MLFLOW_TRACKING_URI": url, "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2", "GIT_PYTHON_REFRESH": "quiet"}
    done = subprocess.run(
        [python, "-W", "ignore", str(SCRIPT), name], cwd=folder, env=env, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1])
