"""The command line in this process, over a store of the test's own."""

from __future__ import annotations

import os
import signal
import sys
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from dovetail import hookimpl, plugins
from dovetail.cli.main import main
from dovetail.testing.memory import MemoryTrackingStore
from dovetail.testing.memory_artifacts import MemoryArtifactStore
from dovetail.tracking import places

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


class Drawer:
    """A plugin with a tracking and an artifact store in memory, under a key nobody else has."""

    def __init__(self) -> None:
        self.artifacts: dict[str, MemoryArtifactStore] = {}

    @hookimpl
    def dovetail_tracking_stores(self) -> Any:
        return {"drawer": lambda uri: MemoryTrackingStore(uri, artifact_root="drawer://artifacts")}

    @hookimpl
    def dovetail_artifact_stores(self) -> Any:
        return {"drawer": lambda uri: self.artifacts.setdefault(uri, MemoryArtifactStore(uri))}


DRAWER = Drawer()


@dataclass(frozen=True)
class Outcome:
    exit_code: int
    out: str
    err: str


@pytest.fixture
def drawer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An empty tracking store."""
    plugins.register(DRAWER, "tracking_stores", "drawer")
    plugins.register(DRAWER, "artifact_stores", "drawer")
    for name in [name for name in os.environ if name.startswith(("DOVETAIL_", "MLFLOW_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("DOVETAIL_TRACKING_URI", f"drawer://{tmp_path.name}")
    monkeypatch.chdir(tmp_path)
    yield
    places.forget_stores()
    DRAWER.artifacts.clear()


@pytest.fixture
def dovetail(drawer: None, capsys: pytest.CaptureFixture[str]) -> Iterator[Callable[..., Outcome]]:
    """``dovetail("runs", "list")`` runs the command line and answers with how it ended."""
    handler = signal.getsignal(signal.SIGTERM)

    def run(*arguments: str) -> Outcome:
        with warnings.catch_warnings(), pytest.raises(SystemExit) as ended:
            main(list(arguments))
        sys.stdout.flush()
        said = capsys.readouterr()
        return Outcome(int(ended.value.code or 0), said.out, said.err)

    yield run
    signal.signal(signal.SIGTERM, handler)
