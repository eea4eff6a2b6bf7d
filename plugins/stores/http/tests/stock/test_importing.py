"""``dovetail import mlflow http://…`` brings what a server of MLflow's has."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import pytest

import dovetail

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dovetail.values import Run

    class Served(Protocol):
        uri: str
        python: str

        def clear(self) -> None: ...


DOVETAIL = str(Path(sys.executable).with_name("dovetail"))
WRITER = Path(__file__).parents[5] / "core/tests/tracking/syncing/mlflow_data/writer.py"
READER = """
import json, sys
import mlflow
client = mlflow.MlflowClient(sys.argv[1])
def told(run_id):
    run = client.get_run(run_id)
    histories = {
        key: [[repr(each.value), each.timestamp, each.step] for each in client.get_metric_history(run_id, key)]
        for key in run.data.metrics
    }
    inputs = [[used.dataset.name, used.dataset.digest] for used in run.inputs.dataset_inputs]
    models = [used.model_id for used in run.inputs.model_inputs], [made.model_id for made in run.outputs.model_outputs]
    info = [run.info.run_name, run.info.status, run.info.start_time, run.info.end_time, run.info.user_id]
    return [info, run.data.params, run.data.tags, histories, inputs, models]
print(json.dumps({run_id: told(run_id) for run_id in sys.argv[2:]}))
"""
USING = """
import sys, mlflow
from mlflow.entities import LoggedModelInput
client = mlflow.MlflowClient(sys.argv[1])
client.log_inputs(sys.argv[2], models=[LoggedModelInput(sys.argv[3])])
"""

pytestmark = pytest.mark.timeout(600)


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A working folder of the test's own, and no store from before."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DOVETAIL_JOURNAL_DIR", str(tmp_path / "journals"))
    yield
    dovetail.tracking.places.forget_places()


@pytest.fixture(scope="module")
def server(running: Served) -> Iterator[Served]:
    """A server that all stories here read: to have MLflow write to it takes seconds."""
    yield running
    running.clear()


@pytest.fixture(scope="module")
def written(server: Served) -> dict[str, str]:
    """The ids of what MLflow wrote to the server, by their names."""
    found: dict[str, str] = json.loads(mlflow(server, str(WRITER), server.uri))
    mlflow(server, "-c", USING, server.uri, found["child"], found["model"])
    return found


class TestAServerThatIsImported:
    def test_has_all_its_runs_and_models_here(self, server: Served, written: dict[str, str]) -> None:
        runs = [run_id for name, run_id in written.items() if name != "model"]

        report = dovetail.import_mlflow(server.uri, "sqlite:///ours.db")

        assert (report.runs_created, report.models_created, report.versions_created) == (4, 1, 2)
        assert not report.refused
        client = dovetail.MlflowClient("sqlite:///ours.db")
        theirs = json.loads(mlflow(server, "-c", READER, server.uri, *runs))
        assert {run_id: told(client, client.get_run(run_id)) for run_id in runs} == theirs
        assert theirs[written["child"]][5] == [[written["model"]], []], "what a run used is brought as well"
        model = client.get_logged_model(written["model"])
        assert (model.params, model.tags["kind"], model.status) == ({"trees": "7"}, "small", "READY")
        assert [(each.key, each.value, each.run_id) for each in model.metrics] == [("f1", 0.9, written["first"])]

    def test_has_its_registered_models_here(self, server: Served, written: dict[str, str]) -> None:
        dovetail.import_mlflow(server.uri, "sqlite:///ours.db", artifacts="none")

        client = dovetail.MlflowClient("sqlite:///ours.db", "sqlite:///ours.db")
        wine = client.get_registered_model("wine")
        assert (wine.description, wine.tags, wine.aliases) == ("reds", {"owner": "ann"}, {"champion": 3})
        first, third = client.get_model_version("wine", "1"), client.get_model_version("wine", "3")
        assert (first.current_stage, first.tags, first.run_id) == ("Production", {"n": "1"}, written["first"])
        assert (third.source, third.description) == (f"runs:/{written['first']}/model3", "number 3")
        assert client.get_registered_model("empty").latest_versions == []

    def test_keeps_its_artifacts_and_they_are_found_there(self, server: Served, written: dict[str, str]) -> None:
        dovetail.import_mlflow(server.uri, "sqlite:///ours.db")

        client = dovetail.MlflowClient("sqlite:///ours.db")
        assert client.get_run(written["first"]).info.artifact_uri.startswith("mlflow-artifacts://127.0.0.1:")
        assert read("sqlite:///ours.db", written["first"], "notes/hello.txt") == "hello"
        # Default was there, with a place of its own.
        assert client.get_run(written["in Default"]).info.artifact_uri.startswith("file:")
        assert read("sqlite:///ours.db", written["in Default"], "here.txt") == "still here"

    def test_gives_copies_of_its_artifacts_on_request(self, server: Served, written: dict[str, str]) -> None:
        report = dovetail.import_mlflow(server.uri, "sqlite:///ours.db", artifacts="copy")

        assert (report.files, report.refused) == (2, [])
        client = dovetail.MlflowClient("sqlite:///ours.db")
        assert client.get_run(written["first"]).info.artifact_uri.startswith("file:")
        assert read("sqlite:///ours.db", written["first"], "notes/hello.txt") == "hello"

    def test_is_not_brought_twice(self, server: Served, written: dict[str, str]) -> None:
        assert written
        dovetail.import_mlflow(server.uri, "sqlite:///ours.db", artifacts="copy")

        again = dovetail.import_mlflow(server.uri, "sqlite:///ours.db", artifacts="copy")

        assert not again.changed
        assert (again.runs_unchanged, again.refused) == (4, [])

    def test_is_counted_by_a_dry_run_that_writes_nothing(self, server: Served, written: dict[str, str]) -> None:
        assert written
        report = dovetail.import_mlflow(server.uri, "sqlite:///ours.db", artifacts="none", dry_run=True)

        assert (report.runs_created, report.models_created, report.versions_created) == (4, 1, 2)
        assert not Path("ours.db").exists()

    def test_may_be_brought_by_the_command(self, server: Served, written: dict[str, str]) -> None:
        assert written
        command = [DOVETAIL, "import", "mlflow", server.uri, "sqlite:///ours.db", "--json"]

        done = subprocess.run([*command, "-e", "wine"], capture_output=True, text=True, check=False)

        assert done.returncode == 0, done.stderr
        report = json.loads(done.stdout)
        assert (report["runs_created"], report["versions_created"]) == (3, 0), "of one experiment, and no registry"


class TestAServerThatIsNotThere:
    def test_is_an_error_and_nothing_is_made(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("DOVETAIL_HTTP_RETRY_SECONDS", "0")
        with pytest.raises(dovetail.errors.StoreUnavailable, match=r"127\.0\.0\.1:9 cannot be reached"):
            dovetail.import_mlflow("http://127.0.0.1:9", "sqlite:///ours.db")
        assert not Path("ours.db").exists()


def mlflow(server: Served, *arguments: str) -> str:
    """Run a script with MLflow; the last line that it prints."""
    done = subprocess.run(
        [server.python, "-W", "ignore", *arguments], capture_output=True, text=True, check=False, env=dict(os.environ)
    )
    assert done.returncode == 0, done.stderr
    return (done.stdout.splitlines() or [""])[-1]


def read(uri: str, run_id: str, path: str) -> str:
    """A text among a run's artifacts."""
    dovetail.set_tracking_uri(uri)
    return dovetail.artifacts.load_text(f"runs:/{run_id}/{path}")


def told(client: dovetail.MlflowClient, run: Run) -> list[Any]:
    """All about a run, as ``READER`` tells it."""
    histories = {
        key: [[repr(each.value), each.timestamp, each.step] for each in client.get_metric_history(run.info.run_id, key)]
        for key in run.data.metrics
    }
    inputs = [[used.dataset.name, used.dataset.digest] for used in run.inputs.dataset_inputs]
    models = [
        [used.model_id for used in run.inputs.model_inputs],
        [made.model_id for made in run.outputs.model_outputs],
    ]
    info = [run.info.run_name, run.info.status, run.info.start_time, run.info.end_time, run.info.user_id]
    return [info, run.data.params, run.data.tags, histories, inputs, models]
