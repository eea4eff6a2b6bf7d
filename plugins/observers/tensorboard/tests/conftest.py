"""A log directory for each test, and TensorBoard's own reader to look into it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

import dovetail as mlflow
from dovetail.tracking import experiments, places, runs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@pytest.fixture(autouse=True)
def fresh_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Each test begins in an empty folder, tracks into a database there, and has a log directory beside it."""
    for name in [name for name in os.environ if name.startswith(("DOVETAIL_", "MLFLOW_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("DOVETAIL_TENSORBOARD_DIR", "tensorboard")
    monkeypatch.chdir(tmp_path)
    forget()
    mlflow.set_tracking_uri("sqlite:///runs.db")
    yield
    forget()


def forget() -> None:
    mlflow.end_run()
    runs.forget_runs()
    experiments.forget_experiment()
    places.forget_places()


@pytest.fixture
def shown() -> Callable[[mlflow.Run], EventAccumulator]:
    """What TensorBoard shows of a run."""

    def read(run: mlflow.Run) -> EventAccumulator:
        (folder,) = Path("tensorboard").glob(f"*-{run.info.run_id[:8]}")
        found = EventAccumulator(str(folder), size_guidance={"scalars": 0, "tensors": 0})
        found.Reload()
        return found

    return read
