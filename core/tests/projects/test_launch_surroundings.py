"""What is kept with a project's run beside what it logs."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

pytest.importorskip("dovetail_sqlite")
pytest.importorskip("dovetail_local")

import dovetail
from dovetail import projects
from dovetail.tracking.surroundings import FOLDER

if TYPE_CHECKING:
    from dovetail.values import Run


@pytest.fixture
def project() -> Path:
    """A project in a repository, changed since its commit."""
    folder = Path("wine").absolute()
    folder.mkdir()
    (folder / "train.py").write_text("print('trained')\n", encoding="utf-8")
    git = ["git", "-c", "user.name=Ada", "-c", "user.email=ada@example.org", "-c", "init.defaultBranch=main"]
    if shutil.which("git") is None:
        pytest.skip("git is not installed")
    for words in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "first"]):
        subprocess.run([*git, *words], cwd=folder, check=True)
    (folder / "train.py").write_text("print('trained well')\n", encoding="utf-8")
    return folder


def launched(project: Path, run_id: str | None = None) -> Run:
    submitted = projects.run(project, "train.py", env_manager="system", echo=None, run_id=run_id)
    return dovetail.get_run(submitted.run_id)


def artifact(run: Run, name: str) -> Path:
    return Path(run.info.artifact_uri.removeprefix("file://"), name)


def test_the_repository_is_told_of_by_tags(project: Path) -> None:
    tags = launched(project).data.tags
    assert (tags["mlflow.source.git.branch"], tags["mlflow.source.git.dirty"]) == ("main", "True")


def test_changes_packages_and_command_on_request(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not artifact(launched(project), FOLDER).exists()
    monkeypatch.setenv("DOVETAIL_LOG_ENVIRONMENT", "true")
    run = launched(project)
    assert "+print('trained well')" in artifact(run, f"{FOLDER}/changes.diff").read_text("utf-8")
    assert f"pytest=={pytest.__version__}\n" in artifact(run, f"{FOLDER}/packages.txt").read_text("utf-8")
    assert artifact(run, f"{FOLDER}/command.txt").read_text("utf-8").startswith(f"cd {project}\npython ")


def test_output_of_scripts_that_keep_it_themselves_is_kept_once(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOVETAIL_LOG_OUTPUT", "true")
    source = "import dovetail\nwith dovetail.start_run(): print('trained')\n"
    (project / "train.py").write_text(source, encoding="utf-8")
    run = launched(project)
    assert [path.name for path in artifact(run, "logs").iterdir()] == ["output.log"]


def test_a_run_that_is_launched_again_keeps_its_first_output(project: Path) -> None:
    run = launched(project)
    (project / "train.py").write_text("print('once more')\n", encoding="utf-8")
    launched(project, run_id=run.info.run_id)
    assert artifact(run, "logs/output.log").read_text("utf-8") == "trained well\n"
    (later,) = artifact(run, "logs").glob("output-*.log")
    assert later.read_text("utf-8") == "once more\n"
