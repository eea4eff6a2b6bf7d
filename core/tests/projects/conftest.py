"""A folder for projects, and stand-ins that make the core alone enough to run them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from dovetail import hookimpl, plugins
from dovetail.environments.manager import Environment, EnvManager
from dovetail.errors import EnvironmentFailed
from dovetail.posix import end_group, start_group
from dovetail.projects.backend import Backend, Submission
from dovetail.testing.memory import MemoryTrackingStore
from dovetail.testing.memory_artifacts import MemoryArtifactStore
from dovetail.tracking import places

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from dovetail.environments.spec import EnvSpec
    from dovetail.projects.backend import Job


class RunningEnvironment(Environment):
    name = "running"
    python = sys.executable

    def wrap(self, argv: Sequence[str], env: Mapping[str, str]) -> tuple[list[str], dict[str, str]]:
        folder = Path(sys.executable).parent
        return list(argv), {**env, "PATH": f"{folder}{os.pathsep}{env.get('PATH', os.defpath)}"}


class RunningManager(EnvManager):
    def prepare(self, spec: EnvSpec, progress: Any) -> Environment:
        progress("looking around")
        if "impossible" in spec.dependencies:
            raise EnvironmentFailed("impossible cannot be installed.", hint="Leave it out.")
        return RunningEnvironment()


class ProcessSubmission(Submission):
    def __init__(self, job: Job) -> None:
        self.run_id = job.run_id
        self.log = job.log
        self.cancelled = False
        argv, variables = job.environment.wrap(job.argv, {**os.environ, **job.env})
        job.log.parent.mkdir(parents=True, exist_ok=True)
        with job.log.open("wb") as log:
            self.process = start_group(argv, env=variables, cwd=job.folder, stdout=log, stderr=subprocess.STDOUT)

    def wait(self) -> str:
        self.process.wait()
        return self.status()

    def cancel(self) -> None:
        if self.process.poll() is None:
            self.cancelled = True
            end_group(self.process, grace=2)

    def status(self) -> str:
        code = self.process.poll()
        if code is None:
            return "RUNNING"
        return "FINISHED" if code == 0 else "KILLED" if self.cancelled else "FAILED"

    def logs(self) -> Iterator[bytes]:
        self.process.wait()
        yield self.log.read_bytes()

    @property
    def exit_code(self) -> int | None:
        return self.process.poll()


class ProcessBackend(Backend):
    def submit(self, job: Job) -> Submission:
        return ProcessSubmission(job)


class StandIns:
    """One plugin that offers everything a launch needs, under keys nobody else has."""

    def __init__(self) -> None:
        self.artifacts: dict[str, MemoryArtifactStore] = {}

    @hookimpl
    def dovetail_tracking_stores(self) -> Any:
        return {"shelf": lambda uri: MemoryTrackingStore(uri, artifact_root="shelf://artifacts")}

    @hookimpl
    def dovetail_artifact_stores(self) -> Any:
        return {"shelf": lambda uri: self.artifacts.setdefault(uri, MemoryArtifactStore(uri))}

    @hookimpl
    def dovetail_env_managers(self) -> Any:
        return {"running": RunningManager}

    @hookimpl
    def dovetail_backends(self) -> Any:
        return {"process": ProcessBackend}


STAND_INS = StandIns()


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A tracking store of the test's own, and the stand-ins ``running`` and ``process`` to launch with."""
    for kind, key in (
        ("tracking_stores", "shelf"),
        ("artifact_stores", "shelf"),
        ("env_managers", "running"),
        ("backends", "process"),
    ):
        plugins.register(STAND_INS, kind, key)
    for name in [name for name in os.environ if name.startswith(("DOVETAIL_", "MLFLOW_"))]:
        monkeypatch.delenv(name)
    uri = f"shelf://{tmp_path.name}"
    monkeypatch.setenv("DOVETAIL_TRACKING_URI", uri)
    monkeypatch.setenv("DOVETAIL_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("DOVETAIL_ENV_MANAGER", "running")
    yield uri
    places.forget_stores()
    STAND_INS.artifacts.clear()


@pytest.fixture
def folder(tmp_path: Path) -> Callable[..., Path]:
    """``folder({"MLproject": …})`` writes a project and answers where it lies."""

    def write(files: Mapping[str, str | bytes] | None = None) -> Path:
        made = tmp_path / "project"
        made.mkdir(exist_ok=True)
        for name, content in (files or {}).items():
            file = made / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content.encode() if isinstance(content, str) else content)
        return made

    return write
