"""A store in memory to track in, artifacts in memory, observers, and scripts that run by themselves."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
import uuid
from typing import TYPE_CHECKING, Any

import pytest

import dovetail
from dovetail import hookimpl, plugins
from dovetail.errors import StoreUnavailable
from dovetail.testing import MemoryTrackingStore
from dovetail.testing.memory_artifacts import MemoryArtifactStore
from dovetail.tracking import places

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from dovetail.tracking.store import TrackingStore
    from dovetail.values import Run, RunInfo

_kept: dict[str, MemoryArtifactStore] = {}


class KeptArtifacts:
    """Artifacts under ``kept://``, in memory for as long as the tests last."""

    @hookimpl
    def dovetail_artifact_stores(self) -> dict[str, Callable[[str], MemoryArtifactStore]]:
        return {"kept": lambda uri: _kept.setdefault(uri, MemoryArtifactStore(uri))}


plugins.register(KeptArtifacts(), "artifact_stores", "kept")


@pytest.fixture
def store() -> TrackingStore:
    """A new store in memory, which is the one in force."""
    dovetail.set_tracking_uri(f"memory://{uuid.uuid4().hex}")
    return places.tracking_store()


@pytest.fixture
def artifacts(store: TrackingStore) -> Callable[[str], dict[str, bytes]]:
    """Runs keep artifacts in memory; ``artifacts(run_id)`` gives them by path."""
    location = f"kept://{uuid.uuid4().hex}"
    dovetail.set_experiment(experiment_id=dovetail.create_experiment("with artifacts", artifact_location=location))

    def of(run_id: str) -> dict[str, bytes]:
        return _kept.setdefault(f"{location}/{run_id}/artifacts", MemoryArtifactStore()).files

    return of


class FlakyStore(MemoryTrackingStore):
    """A store whose runs cannot be changed while it is away."""

    away = False

    def update_run(self, *args: Any, **options: Any) -> RunInfo:
        if self.away:
            raise StoreUnavailable("away for now")
        return super().update_run(*args, **options)

    def log_batch(self, *args: Any, **options: Any) -> None:
        if self.away:
            raise StoreUnavailable("away for now")
        super().log_batch(*args, **options)


class FlakyStores:
    """Such stores under ``flaky://``."""

    @hookimpl
    def dovetail_tracking_stores(self) -> dict[str, Callable[[str], TrackingStore]]:
        return {"flaky": FlakyStore}


plugins.register(FlakyStores(), "tracking_stores", "flaky")


@pytest.fixture
def flaky() -> TrackingStore:
    """A new store that can be away, which is the one in force."""
    dovetail.set_tracking_uri("flaky://store")
    return places.tracking_store()


class Observer:
    """Notes what it is told about runs; fails where it is told to. It is inert until a test asks for it."""

    def __init__(self) -> None:
        self.begin_anew()

    def begin_anew(self) -> None:
        self.heard: list[tuple[str, str, str]] = []
        self.fails = False
        self.tags: dict[str, str] | None = None

    @hookimpl
    def dovetail_run_started(self, run: Run) -> None:
        self._note("started", run)

    @hookimpl
    def dovetail_run_ended(self, run: Run) -> None:
        self._note("ended", run)

    @hookimpl
    def dovetail_run_tags(self) -> dict[str, str] | None:
        if self.fails:
            raise RuntimeError("no surroundings")
        return self.tags

    def _note(self, what: str, run: Run) -> None:
        self.heard.append((what, run.info.run_id, run.info.status))
        if self.fails:
            raise RuntimeError("an observer's trouble")


_observer = Observer()
plugins.register(_observer)


@pytest.fixture
def observer() -> Iterator[Observer]:
    """A plugin that is told the news."""
    _observer.begin_anew()
    yield _observer
    _observer.begin_anew()


@pytest.fixture
def script(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """``script(source, *options)`` runs a script in an interpreter of its own, in the present working folder."""

    def run(source: str, *options: str, check: bool = True, **env: str) -> subprocess.CompletedProcess[str]:
        path = tmp_path / f"script_{uuid.uuid4().hex}.py"
        path.write_text(textwrap.dedent(source), encoding="utf-8")
        return subprocess.run(
            [sys.executable, *options, str(path)],
            env={**os.environ, **env},
            capture_output=True,
            text=True,
            check=check,
            timeout=60,
        )

    return run
