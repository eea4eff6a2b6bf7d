"""Running projects with stand-ins for everything that plugins bring."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import Any, NoReturn

import pytest

import dovetail
from dovetail import Client
from dovetail.errors import (
    DovetailError,
    EnvironmentFailed,
    InvalidInput,
    InvalidProject,
    NotFound,
    ParamConflict,
    PluginMissing,
    RunEnded,
    RunFailed,
)
from dovetail.projects import run
from dovetail.projects.submitted import LOG_ARTIFACT
from dovetail.tracking.run_artifacts import RunArtifacts

pytestmark = pytest.mark.usefixtures("shelf")
TEXT = """
name: small
entry_points:
  main:
    parameters:
      alpha: {type: float, default: 0.5}
    command: "echo alpha {alpha}"
  bad: {command: "echo broken; exit 7"}
  slow: {command: "sleep 60"}
  env: {command: "env"}
"""


@pytest.fixture
def small(folder: Any) -> str:
    return str(folder({"MLproject": TEXT, "env.yaml": ""}))


@pytest.fixture
def launch(small: str) -> Any:
    """``launch("main", …)`` runs the project; ``.said`` is what it printed."""

    def start(entry_point: str = "main", **options: Any) -> Any:
        heard = []
        submitted = run(
            small, entry_point, **{"backend": "process", "env_manager": "running", "echo": heard.append, **options}
        )
        submitted.said = b"".join(heard).decode()
        return submitted

    return start


def runs() -> list[Any]:
    return list(Client().search_runs(["0"]))


def test_a_run_is_made_before_and_ended_after(launch: Any) -> None:
    submitted = launch(parameters={"alpha": 1, "more": "x"}, run_name="first")
    assert submitted.said == "alpha 1 --more x\n"
    found = Client().get_run(submitted.run_id)
    assert (found.info.status, found.info.run_name) == ("FINISHED", "first")
    assert found.info.end_time >= found.info.start_time
    assert found.data.params == {"alpha": "1", "more": "x"}
    assert (submitted.get_status(), submitted.wait()) == ("FINISHED", True)


def test_defaults_are_recorded_too(launch: Any) -> None:
    assert Client().get_run(launch().run_id).data.params == {"alpha": "0.5"}


def test_the_tags_say_what_was_run(launch: Any, small: str) -> None:
    tags = Client().get_run(launch().run_id).data.tags
    assert tags["mlflow.source.name"] == small
    assert tags["mlflow.source.type"] == "PROJECT"
    assert tags["mlflow.project.entryPoint"] == "main"
    assert tags["mlflow.project.backend"] == "process"
    assert tags["mlflow.project.env"] == "running"
    assert "mlflow.parentRunId" not in tags


def test_the_command_is_told_of_its_run_under_both_names(launch: Any, shelf: str) -> None:
    submitted = launch("env")
    told = dict(line.split("=", 1) for line in submitted.said.splitlines() if line.startswith(("DOVETAIL_", "MLFLOW_")))
    assert told["DOVETAIL_RUN_ID"] == told["MLFLOW_RUN_ID"] == submitted.run_id
    assert told["DOVETAIL_EXPERIMENT_ID"] == told["MLFLOW_EXPERIMENT_ID"] == "0"
    assert told["DOVETAIL_TRACKING_URI"] == shelf
    assert told["MLFLOW_TRACKING_URI"] == f"dovetail+{shelf}", "MLflow must not open what it does not know"


def test_the_command_is_told_where_models_are_registered(
    launch: Any, shelf: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def told() -> str:
        lines = launch("env").said.splitlines()
        return next(line for line in lines if line.startswith("DOVETAIL_REGISTRY_URI=")).partition("=")[2]

    assert told() == shelf
    # The project runs in a folder of its own, where a relative location would mean another place.
    monkeypatch.setenv("DOVETAIL_REGISTRY_URI", "sqlite:///registry.db")
    assert told() == f"sqlite:///{Path.cwd()}/registry.db"


def test_the_output_is_kept_with_the_run(launch: Any, tmp_path: Path) -> None:
    submitted = launch()
    path = Client().download_artifacts(submitted.run_id, "logs/output.log")
    assert Path(path).read_text() == "alpha 0.5\n"
    assert not list((tmp_path / "state").rglob("*.log"))


def test_a_command_that_fails_raises(launch: Any) -> None:
    with pytest.raises(RunFailed) as caught:
        launch("bad")
    (failed,) = runs()
    assert failed.info.status == "FAILED"
    assert failed.info.run_id in caught.value.message
    assert "logs/output.log" in caught.value.hint


def test_or_answers_if_it_is_not_to_be_checked(launch: Any) -> None:
    submitted = launch("bad", check=False)
    assert (submitted.said, submitted.wait(), submitted.get_status()) == ("broken\n", False, "FAILED")


def test_an_environment_that_cannot_be_made_fails_the_run(launch: Any, folder: Any) -> None:
    folder({"python_env.yaml": "dependencies: [impossible]"})
    said = []
    with pytest.raises(EnvironmentFailed, match="impossible cannot be installed"):
        launch(progress=said.append)
    assert [each.info.status for each in runs()] == ["FAILED"]
    assert said == ["looking around"]


def test_a_backend_that_refuses_its_options_fails_the_run(
    launch: Any, shelf: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The stand-in cannot start what is not there."""
    monkeypatch.setenv("DOVETAIL_STATE_DIR", "/dev/null/nowhere")
    with pytest.raises(OSError, match="nowhere"):
        launch()
    assert [each.info.status for each in runs()] == ["FAILED"]


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"entry_point": "mian"}, InvalidProject),
        ({"parameters": {"alpha": "high"}}, InvalidProject),
        ({"parameters": {"a b": "1"}}, InvalidProject),
        ({"parameters": {"k" * 300: "1"}}, InvalidInput),
        ({"backend": "prcess"}, PluginMissing),
        ({"env_manager": "runing"}, PluginMissing),
        ({"backend_config": "{"}, InvalidInput),
        ({"backend_config": '{"a":' * 100_000}, InvalidInput),
        ({"backend_config": "[1]"}, InvalidInput),
        ({"backend_config": "missing.json"}, InvalidInput),
        ({"experiment_name": "a", "experiment_id": "0"}, InvalidInput),
        ({"experiment_id": "99"}, NotFound),
        ({"run_id": "f" * 32}, NotFound),
        ({"version": "main"}, InvalidProject),
    ],
)
def test_what_could_never_start_leaves_nothing(launch: Any, options: dict[str, Any], error: type[Exception]) -> None:
    with pytest.raises(error):
        launch(**options)
    assert runs() == []


def test_output_that_cannot_be_uploaded_is_not_lost_and_the_run_is_named(launch: Any, tmp_path: Path) -> None:
    def put_something_in_the_way(chunk: bytes) -> None:
        del chunk
        RunArtifacts(Client().store, runs()[0].info.run_id).store.put(f"{LOG_ARTIFACT}/other", BytesIO(b""))

    with pytest.raises(DovetailError, match="but its output could not be uploaded") as caught:
        launch(echo=put_something_in_the_way)
    info = runs()[0].info
    assert caught.value.message.startswith(f"Run {info.run_id} ended as FINISHED, ")
    assert info.status == "FINISHED"
    log = tmp_path / "state" / "runs" / info.run_id / "output.log"
    assert f"The output lies in {log}." in str(caught.value.hint)
    assert log.read_text() == "alpha 0.5\n"


def test_options_of_the_backend_may_stand_in_a_file(launch: Any, tmp_path: Path) -> None:
    (tmp_path / "options.json").write_text('{"any": 1}')
    for config in (tmp_path / "options.json", str(tmp_path / "options.json"), '{"any": 1}', {"any": 1}, None):
        assert launch(backend_config=config).wait()


def test_an_experiment_by_name_is_made(launch: Any) -> None:
    found = Client().get_run(launch(experiment_name="loan").run_id)
    assert Client().get_experiment(found.info.experiment_id).name == "loan"


class TestAnExistingRun:
    def test_it_is_taken_up_and_keeps_what_it_has(self, launch: Any) -> None:
        made = Client().create_run("0", run_name="mine", tags={"kept": "yes"}).info.run_id
        Client().set_terminated(made, "FAILED")
        assert launch(run_id=made, parameters={"alpha": 2}).run_id == made
        found = Client().get_run(made)
        assert (found.info.status, found.info.run_name, found.data.tags["kept"]) == ("FINISHED", "mine", "yes")
        assert found.data.params == {"alpha": "2"}
        assert len(runs()) == 1

    def test_it_may_get_another_name(self, launch: Any) -> None:
        made = Client().create_run("0", run_name="old").info.run_id
        launch(run_id=made, run_name="new")
        assert Client().get_run(made).info.run_name == "new"

    def test_params_that_do_not_fit_leave_it_as_it_was(self, launch: Any) -> None:
        made = launch(parameters={"alpha": 1}).run_id
        before = Client().get_run(made)
        with pytest.raises(ParamConflict):
            launch(run_id=made, parameters={"alpha": 2})
        assert Client().get_run(made) == before

    def test_a_deleted_one_is_not_taken_up(self, launch: Any) -> None:
        made = launch().run_id
        Client().delete_run(made)
        with pytest.raises(RunEnded, match="is deleted"):
            launch(run_id=made)

    def test_one_of_another_experiment_is_refused(self, launch: Any) -> None:
        made = launch().run_id
        with pytest.raises(InvalidInput, match="is in experiment 0"):
            launch(run_id=made, experiment_name="other")
        assert launch(run_id=made, experiment_id="0").wait()


class TestFromADriver:
    def test_a_new_run_is_the_child_of_the_active_one(self, launch: Any) -> None:
        with dovetail.start_run() as parent:
            child = launch()
        assert Client().get_run(child.run_id).data.tags["mlflow.parentRunId"] == parent.info.run_id

    def test_a_run_that_the_driver_made_keeps_its_parent(self, launch: Any) -> None:
        """The run handed over is the active one: it must not become its own parent."""
        with dovetail.start_run() as parent, dovetail.start_run(nested=True) as child:
            launch(run_id=child.info.run_id)
        assert Client().get_run(child.info.run_id).data.tags["mlflow.parentRunId"] == parent.info.run_id

    def test_one_in_the_background_is_asked_ended_and_waited_for(self, launch: Any) -> None:
        submitted = launch("slow", synchronous=False)
        assert submitted.get_status() == "RUNNING"
        assert Client().get_run(submitted.run_id).info.status == "RUNNING"
        submitted.cancel()
        assert (submitted.get_status(), submitted.wait()) == ("KILLED", False)
        assert Client().get_run(submitted.run_id).info.status == "KILLED"
        submitted.cancel()
        assert submitted.get_status() == "KILLED"

    def test_one_that_fails_in_the_background_does_not_raise(self, launch: Any) -> None:
        submitted = launch("bad", synchronous=False)
        assert submitted.wait() is False
        assert Client().get_run(submitted.run_id).info.status == "FAILED"

    def test_many_may_be_waited_for_by_many(self, launch: Any) -> None:
        from concurrent.futures import ThreadPoolExecutor

        submitted = launch(synchronous=False)
        with ThreadPoolExecutor(4) as pool:
            assert all(pool.map(lambda _: submitted.wait(), range(8)))

    def test_a_listener_that_fails_ends_the_run(self, launch: Any) -> None:
        def deaf(chunk: bytes) -> NoReturn:
            raise BrokenPipeError

        with pytest.raises(BrokenPipeError):
            launch(echo=deaf)
        assert runs()[0].info.end_time is not None
