"""Scripts in interpreters of their own, with the plugin installed, and a stand-in for NVIDIA's library."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from typing import TYPE_CHECKING, Any

import pytest

from dovetail.tracking import places, runs, system_metrics

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@pytest.fixture(autouse=True)
def fresh_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Each test begins in an empty folder, with no setting made and nothing tracked so far."""
    for name in [name for name in os.environ if name.startswith(("DOVETAIL_", "MLFLOW_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.chdir(tmp_path)
    forget()
    yield
    forget()


def forget() -> None:
    runs.forget_runs()
    system_metrics.forget_system_metrics()
    places.forget_places()


HEAD = """
import json, os, sys, time
import dovetail as mlflow

mlflow.set_tracking_uri("memory://runs")

def histories(run):
    client = mlflow.Client()
    keys = client.get_run(run.info.run_id).data.metrics
    return {key: [(p.step, p.value) for p in client.get_metric_history(run.info.run_id, key)] for key in keys}

def wait_for(run, points, key="system/cpu_utilization_percentage"):
    deadline = time.monotonic() + 30
    while len(histories(run).get(key, ())) < points:
        assert time.monotonic() < deadline, f"no {points} points of {key}"
        time.sleep(0.02)
"""


@pytest.fixture
def script(tmp_path: Path) -> Callable[..., Any]:
    """``script(source, **env)`` runs a script and gives what it said last, as JSON; ``errors`` gives the rest."""

    def run(source: str, errors: str = "", **env: str) -> Any:
        path = tmp_path / "train.py"
        path.write_text(HEAD + textwrap.dedent(source), encoding="utf-8")
        done = subprocess.run(
            [sys.executable, str(path)],
            env={**os.environ, **env},
            capture_output=True,
            text=True,
            check=False,
            timeout=90,
        )
        assert done.returncode == 0, done.stderr
        assert errors in done.stderr if errors else done.stderr == ""
        return json.loads(done.stdout.splitlines()[-1])

    return run


FAKE_NVML = """
from types import SimpleNamespace

class NVMLError(Exception): ...
class NVMLError_NotSupported(NVMLError): ...
class NVMLError_GpuIsLost(NVMLError): ...

def nvmlInit(): ...
def nvmlShutdown(): ...
def nvmlDeviceGetCount(): return 2
def nvmlDeviceGetHandleByIndex(number): return number
def nvmlDeviceGetUtilizationRates(gpu): return SimpleNamespace(gpu=37, memory=11)
def nvmlDeviceGetMemoryInfo(gpu): return SimpleNamespace(total=16 * 10**9, used=4 * 10**9)
def nvmlDeviceGetEnforcedPowerLimit(gpu): return 250_000
def nvmlDeviceGetPowerUsage(gpu):
    if gpu == 1:
        raise NVMLError_NotSupported("Not Supported")
    return 125_000
"""


@pytest.fixture
def gpus(tmp_path: Path) -> Callable[[str], str]:
    """Puts two GPUs into the machine, the second without a power meter; the answer is for ``PYTHONPATH``."""

    def put(more: str = "") -> str:
        folder = tmp_path / "driver"
        folder.mkdir()
        (folder / "pynvml.py").write_text(FAKE_NVML + more, encoding="utf-8")
        return str(folder)

    return put
