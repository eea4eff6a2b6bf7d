"""What the stories ask for: projects on disk, run by the real command line in a process of its own."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from dovetail import Client

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from dovetail.values import Run

DOVETAIL = str(Path(sys.executable).with_name("dovetail"))
_RUN = re.compile(r"^run +([0-9a-f]{32}) \(", re.MULTILINE)


@dataclass(frozen=True)
class Outcome:
    """How a command ended."""

    exit_code: int
    out: str
    err: str
    place: Place

    @property
    def run(self) -> Run:
        """The run that the command reported, else the newest one there is."""
        found = _RUN.search(self.out)
        return self.place.client.get_run(found[1]) if found else self.place.runs()[0]

    @property
    def log(self) -> bytes:
        """The output that was kept with the run."""
        return Path(self.place.client.download_artifacts(self.run.info.run_id, "logs/output.log")).read_bytes()


class Place:
    """A folder to work in, with a database of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.work = folder / "work"
        self.work.mkdir()
        self.uri = f"sqlite:///{folder}/tracking/dovetail.db"
        (folder / "tracking").mkdir()
        self.env = {name: value for name, value in os.environ.items() if not name.startswith(("DOVETAIL_", "MLFLOW_"))}
        self.env |= {"DOVETAIL_TRACKING_URI": self.uri, "DOVETAIL_STATE_DIR": str(folder / "state")}
        self.processes: list[subprocess.Popen[bytes]] = []

    @property
    def client(self) -> Client:
        return Client(self.uri)

    def runs(self) -> list[Run]:
        ids = [each.experiment_id for each in self.client.search_experiments()]
        return list(self.client.search_runs(ids))

    def cli(
        self, *arguments: str, env: Mapping[str, str] | None = None, cwd: Path | None = None, timeout: float = 100
    ) -> Outcome:
        return self.call(DOVETAIL, *arguments, env=env, cwd=cwd, timeout=timeout)

    def call(
        self, *argv: str, env: Mapping[str, str] | None = None, cwd: Path | None = None, timeout: float = 100
    ) -> Outcome:
        done = subprocess.run(
            argv,
            cwd=cwd or self.work,
            env={**self.env, **(env or {})},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=timeout,
            check=False,
        )
        return Outcome(
            done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace"), self
        )

    def start(self, *argv: str) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            argv,
            cwd=self.work,
            env=self.env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
            # Tests that a shell started in its background ignore Ctrl-C; a launcher would inherit that.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509 - no threads here
        )
        self.processes.append(process)
        return process


class ProjectFolder:
    """A project that was written for a test."""

    def __init__(self, place: Place, folder: Path) -> None:
        self.place = place
        self.folder = folder

    def run(self, *arguments: str, env: Mapping[str, str] | None = None, timeout: float = 100) -> Outcome:
        return self.place.cli("run", str(self.folder), *arguments, env=env, timeout=timeout)

    def start(self, *arguments: str) -> subprocess.Popen[bytes]:
        return self.place.start(DOVETAIL, "run", str(self.folder), *arguments)

    def outcome_of(self, process: subprocess.Popen[bytes], timeout: float = 60) -> Outcome:
        out, err = process.communicate(timeout=timeout)
        return Outcome(process.returncode, out.decode(errors="replace"), err.decode(errors="replace"), self.place)


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    """An empty folder to work in."""
    from dovetail.tracking import places

    made = Place(tmp_path)
    yield made
    for process in made.processes:
        if process.poll() is None:
            process.kill()
        process.communicate()
    places.forget_stores()


@pytest.fixture
def project(place: Place) -> Callable[[Mapping[str, str]], ProjectFolder]:
    """``project({"MLproject": …, "train.py": …}).run("-P", "alpha=1")`` gives an outcome."""

    def write(files: Mapping[str, str], name: str = "project") -> ProjectFolder:
        folder = place.folder / name
        for path, content in files.items():
            file = folder / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(content, encoding="utf-8")
        return ProjectFolder(place, folder)

    return write
