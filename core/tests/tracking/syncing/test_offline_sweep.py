"""A whole sweep offline, its workers side by side, then sent twice: what is there is what was logged, once."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

pytest.importorskip("dovetail_sqlite")
pytest.importorskip("dovetail_file")
pytest.importorskip("dovetail_fsspec")

import dovetail
from dovetail.tracking import places
from dovetail.tracking.offline import folder_for

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable

    from dovetail.tracking.store import TrackingStore

    Script = Callable[..., subprocess.CompletedProcess[str]]
    Contents = Callable[[TrackingStore], dict[str, Any]]

RUNS, STEPS = 12, 200
# Runs end well, fail, end with their worker, and are gone on with elsewhere, as those of a sweep do.
SWEEP = f"""
import concurrent.futures, math, os
import multiprocessing
import dovetail
dovetail.set_experiment("sweep")

def train(number):
    with dovetail.start_run(run_name=f"number {{number}}", tags={{"worker": str(os.getpid())}}) as run:
        dovetail.log_params({{"lr": 0.1 ** number, "deep/er": "ja"}})
        for step in range({STEPS}):
            dovetail.log_metric("loss", math.nan if step == 7 else 1 / (step + number + 1), step=step)
            dovetail.log_metrics({{"f1": step / 200, "odd": math.inf}}, step=step)
        dovetail.log_text(f"number {{number}}", "notes/hello.txt")
        if number == 5:
            dovetail.end_run("FAILED")
    return run.info.run_id

def killed(number):
    dovetail.start_run(run_name="killed")
    dovetail.log_metric("loss", 0.5)
    os._exit(1)

if __name__ == "__main__":
    context = multiprocessing.get_context("spawn")
    with dovetail.start_run(run_name="parent") as parent, context.Pool(3) as pool:
        runs = pool.map(train, range({RUNS}), chunksize=1)
        dovetail.log_param("best", runs[0])
        pool.close()
        pool.join()
    worker = context.Process(target=killed, args=(0,))
    worker.start()
    worker.join()
    with dovetail.start_run(run_id=runs[0]):
        dovetail.log_metric("loss", 0.25, step={STEPS})
"""


@pytest.fixture
def swept(script: Script, monkeypatch: pytest.MonkeyPatch, contents: Contents) -> dict[str, Any]:
    """All that the sweep's folder on this machine holds."""
    script(SWEEP, "-W", "ignore", DOVETAIL_MODE="offline")
    assert not Path("dovetail.db").exists()
    return contents(places.open_store(folder_for(dovetail.get_tracking_uri()).uri))


def test_a_sweep_sent_twice_is_there_as_it_was_logged(swept: dict[str, Any], contents: Contents) -> None:
    assert len(swept["sweep"]["runs"]) == RUNS + 2
    first = dovetail.sync()
    assert (first.runs_created, first.points) == (RUNS + 2, RUNS * STEPS * 3 + 2)
    after_one = contents(places.tracking_store())
    assert after_one["sweep"] == swept["sweep"]
    assert not dovetail.sync().changed
    assert contents(places.tracking_store()) == after_one


def test_what_was_logged_is_in_it(swept: dict[str, Any]) -> None:
    dovetail.sync()
    found = dovetail.search_runs(experiment_names=["sweep"], output_format="list")
    runs = {run.info.run_name: run for run in found}
    assert len(runs) == RUNS + 2
    client = dovetail.Client()
    for number in range(RUNS):
        run = runs[f"number {number}"]
        assert run.info.status == ("FAILED" if number == 5 else "FINISHED")
        assert run.data.params == {"lr": str(0.1**number), "deep/er": "ja"}
        losses = client.get_metric_history(run.info.run_id, "loss")
        wanted = [1 / (step + number + 1) for step in range(STEPS)] + [0.25] * (number == 0)
        wanted[7] = float("nan")
        assert repr([point.value for point in losses]) == repr(wanted)
        assert [point.step for point in losses] == list(range(len(wanted)))
        text = dovetail.artifacts.load_text(f"runs:/{run.info.run_id}/notes/hello.txt")
        assert text == f"number {number}"
    assert runs["killed"].data.metrics == {"loss": 0.5}
