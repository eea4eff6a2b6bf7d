"""Scripts run as they are, and nothing comes of it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import textwrap
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import dovetail as mlflow
from dovetail.errors import DovetailError, InvalidInput, NotFound
from dovetail.tracking import experiments, places, runs

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[4]
DOVETAIL = (sys.executable, "-c", "from dovetail.cli.main import main; main()")


@pytest.fixture(autouse=True)
def _nothing_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Each test tracks nowhere, and leaves no file in its working folder or its home."""
    for name in [name for name in os.environ if name.startswith(("DOVETAIL_", "MLFLOW_", "XDG_"))]:
        monkeypatch.delenv(name)
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)
    for variable in ("HOME", "USERPROFILE"):
        monkeypatch.setenv(variable, str(tmp_path))
    monkeypatch.setenv("DOVETAIL_TRACKING_URI", "null:")
    yield
    runs.forget_runs()
    experiments.forget_experiment()
    places.forget_places()
    assert [str(path) for path in tmp_path.rglob("*") if path != work and "given" not in path.parts] == []


def given(tmp_path: Path, name: str, text: str) -> Path:
    path = tmp_path / "given" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(textwrap.dedent(text), encoding="utf-8")
    return path


def python_in(page: Path) -> str:
    return "\n".join(re.findall(r"^```python\n(.*?)^```", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL))


def done(*command: str | Path) -> str:
    finished = subprocess.run(command, capture_output=True, text=True, check=False)
    assert finished.returncode == 0, finished.stdout + finished.stderr
    return finished.stdout


class TestScripts:
    def test_the_one_of_the_project_readme_runs_up_to_where_it_reads_back(self, tmp_path: Path) -> None:
        text = python_in(ROOT / "README.md").partition("best = ")[0]
        assert "log_metric" in text
        done(sys.executable, given(tmp_path, "readme.py", text))

    def test_the_one_of_this_plugins_readme_runs(self, tmp_path: Path) -> None:
        done(sys.executable, given(tmp_path, "readme.py", python_in(Path(__file__).parents[1] / "README.md")))

    def test_every_verb_does_its_work(self, tmp_path: Path) -> None:
        notes = given(tmp_path, "notes.txt", "done")
        mlflow.set_experiment("wine")
        with mlflow.start_run(run_name="one", tags={"stage": "try"}, description="a try") as run:
            mlflow.log_params({"lr": 0.1})
            mlflow.log_metrics({"loss": 0.5}, step=3)
            mlflow.set_tag("a", "b")
            mlflow.delete_tag("a")
            mlflow.log_artifact(notes)
            mlflow.log_artifacts(notes.parent, "folder")
            mlflow.log_dict({"lr": 0.1}, "config.json")
            assert mlflow.get_artifact_uri("config.json").startswith("null:")
            with mlflow.start_run(nested=True) as child:
                mlflow.log_metric("loss", 1)
            parent = mlflow.get_parent_run(child.info.run_id)
            active = mlflow.active_run()
        assert parent is not None
        assert active is not None
        assert parent.info.run_id == active.info.run_id == run.info.run_id
        ended = mlflow.get_run(run.info.run_id)
        assert (ended.info.status, ended.info.run_name, ended.data.tags["stage"]) == ("FINISHED", "one", "try")
        assert mlflow.search_runs(output_format="list") == mlflow.search_experiments() == []

    def test_one_that_fails_has_a_run_that_failed(self) -> None:
        with pytest.raises(ZeroDivisionError), mlflow.start_run() as run:
            _ = 1 / 0
        assert mlflow.get_run(run.info.run_id).info.status == "FAILED"

    def test_models_are_logged_and_gone(self) -> None:
        pytest.importorskip("dovetail_pyfunc")

        with mlflow.start_run() as run:
            mlflow.pyfunc.log_model(name="model", python_model=lambda model_input: model_input)
        with pytest.raises(DovetailError):
            mlflow.pyfunc.load_model(f"runs:/{run.info.run_id}/model")

    def test_the_command_line_finds_nothing(self) -> None:
        assert done(*DOVETAIL, "experiments", "search", "--json").strip() in ("", "[]")


class TestWhatIsStillRefused:
    def test_values_are_checked(self) -> None:
        with mlflow.start_run(), pytest.raises(InvalidInput):
            mlflow.log_metric("loss", "high")  # type: ignore[arg-type]

    def test_files_that_are_not_there(self) -> None:
        with mlflow.start_run(), pytest.raises(NotFound):
            mlflow.log_artifact("absent.txt")

    def test_artifacts_outside_of_the_run(self) -> None:
        with mlflow.start_run(), pytest.raises(InvalidInput):
            mlflow.log_text("x", "../x.txt")

    def test_reading_back_what_was_logged(self) -> None:
        with mlflow.start_run() as run:
            mlflow.log_text("x", "x.txt")
        client = mlflow.Client()
        assert client.list_artifacts(run.info.run_id) == []
        with pytest.raises(NotFound, match="not kept"):
            client.download_artifacts(run.info.run_id, "x.txt")


class TestManyAtOnce:
    def test_memory_is_the_same_after_twenty_thousand_points(self) -> None:
        """What is kept of each of them, and be it a number, would be seen; to watch memory is slow."""

        def log(steps: range) -> None:
            for step in steps:
                mlflow.log_metric(f"loss {step % 5000}", step, step=step)

        with mlflow.start_run():
            tracemalloc.start()
            log(range(10_000))  # names are remembered, not the points
            names, _ = tracemalloc.get_traced_memory()
            log(range(10_000, 30_000))
            grown, _ = tracemalloc.get_traced_memory()
            tracemalloc.stop()
        assert names < 1_000_000, "and those are bounded"
        assert grown - names < 50_000

    def test_sixteen_threads(self) -> None:
        def train(number: int) -> str:
            with mlflow.start_run(run_name=f"run {number}") as run:
                for step in range(200):
                    mlflow.log_metric("loss", step, step=step)
            return run.info.run_id

        with ThreadPoolExecutor(16) as pool:
            ids = list(pool.map(train, range(64)))
        found = [mlflow.get_run(run_id).info for run_id in ids]
        assert [info.run_name for info in found] == [f"run {number}" for number in range(64)]
        assert {info.status for info in found} == {"FINISHED"}

    @pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
    @pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
    def test_a_forked_child_logs_on(self) -> None:
        with mlflow.start_run():
            child = os.fork()
            if child == 0:
                with mlflow.start_run():
                    mlflow.log_metric("loss", 1)
                os._exit(0)
            assert os.waitpid(child, 0)[1] == 0

    def test_a_child_takes_up_the_run_of_its_parent(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        script = given(
            tmp_path,
            "child.py",
            """
            import dovetail as mlflow

            with mlflow.start_run() as run:
                mlflow.log_metric("loss", 1)
            print(run.info.run_id, run.info.experiment_id)
            """,
        )
        mlflow.set_experiment("wine")
        with mlflow.start_run() as run:
            monkeypatch.setenv("DOVETAIL_RUN_ID", run.info.run_id)
            monkeypatch.setenv("DOVETAIL_EXPERIMENT_ID", run.info.experiment_id)
            assert done(sys.executable, script).split() == [run.info.run_id, run.info.experiment_id]


class TestProjects:
    @pytest.mark.skipif(sys.platform == "win32", reason="projects of tests are written for POSIX shells")
    def test_run_and_keep_nothing(self, tmp_path: Path) -> None:
        pytest.importorskip("dovetail_local")
        pytest.importorskip("dovetail_system")
        project = given(
            tmp_path, "project/MLproject", "name: p\nentry_points:\n  main:\n    command: python train.py\n"
        )
        given(
            tmp_path,
            "project/train.py",
            """
            import dovetail as mlflow

            with mlflow.start_run():
                mlflow.log_metric("loss", 1)
            print("trained")
            """,
        )
        assert "trained" in done(*DOVETAIL, "run", project.parent)
        # The folder of logs is the launcher's; nothing of the run is left in it.
        logs = tmp_path / ".local" / "state" / "dovetail" / "runs"
        assert list(logs.iterdir()) == []
        for folder in (logs, *logs.parents):
            if folder == tmp_path:
                break
            folder.rmdir()
