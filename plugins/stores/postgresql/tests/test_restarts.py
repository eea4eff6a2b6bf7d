"""A server that is killed and started again while a script logs: the script neither fails nor waits, nothing is lost.

The server is one of the tests' own: nobody else's may be stopped.
"""

from __future__ import annotations

import time
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import dovetail
from dovetail.errors import StoreUnavailable
from dovetail.tracking import places
from dovetail_postgresql.testing import Server, running_server

if TYPE_CHECKING:
    from collections.abc import Iterator

PATIENCE = 0.05  # seconds that a call may take


def starved() -> float:
    """Seconds that threads of this process could have run while the machine was busy with something else."""
    waited = 0
    for task in Path("/proc/self/task").glob("*/schedstat"):
        with suppress(OSError):  # it has just ended
            waited += int(task.read_text().split()[1])
    return waited / 1e9


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """A running server."""
    with running_server() as server:
        yield server


@pytest.fixture(autouse=True)
def fresh(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Track there, with a folder of this test's own for what waits."""
    monkeypatch.setenv("DOVETAIL_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("DOVETAIL_JOURNAL_DIR", str(tmp_path / "journals"))
    monkeypatch.setenv("DOVETAIL_DRAIN_TIMEOUT", "0.3")
    monkeypatch.chdir(tmp_path)
    dovetail.set_tracking_uri(server.uri)
    yield
    if server.runs:
        places.forget_places()


def test_a_script_that_logs_meanwhile_neither_fails_nor_waits(server: Server, tmp_path: Path) -> None:
    taken = []
    with dovetail.start_run() as run:
        dovetail.log_metric("loss", 0.0, step=0)
        dovetail.log_param("p0", 0)
        breaking = server.breaking_down(2)
        for step in count(1):
            before, start = starved(), time.perf_counter()
            dovetail.log_metric("loss", float(step), step=step)
            if step % 100 == 0:
                dovetail.log_param(f"p{step}", step)
                dovetail.set_tag("step", step)
            end = time.perf_counter()
            taken.append(end - start - (starved() - before))
            if breaking.poll() is not None:
                break
            time.sleep(0.0002)
    assert breaking.returncode == 0
    assert max(taken) < PATIENCE
    found = dovetail.Client().get_metric_history(run.info.run_id, "loss")
    assert [(point.step, point.value) for point in found] == [(each, float(each)) for each in range(step + 1)]
    again = dovetail.get_run(run.info.run_id)
    assert again.data.params == {f"p{each}": str(each) for each in range(0, step + 1, 100)}
    assert again.data.tags["step"] == str(step // 100 * 100)
    assert again.info.status == "FINISHED"
    places.forget_stores()
    assert not list((tmp_path / "journals").rglob("*.journal"))


def test_a_run_that_ends_meanwhile_is_brought_in_by_the_next_opening(
    server: Server, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Each call of the store itself tries for ten seconds; nobody waits for that."""
    with dovetail.start_run() as run:
        dovetail.log_metric("loss", 1.0, step=1)
        dovetail.flush_async_logging()
        server.kill()
        dovetail.log_metric("loss", 2.0, step=2)
        begin = time.monotonic()
    assert time.monotonic() - begin < 5
    assert "dovetail sync" in capfd.readouterr().err
    with pytest.raises(StoreUnavailable):
        dovetail.get_run(run.info.run_id)
    with pytest.raises(StoreUnavailable):
        places.forget_stores()
    assert time.monotonic() - begin < 8
    assert len(list((tmp_path / "journals").rglob("*.journal"))) == 1
    server.start()
    places.forget_stores()
    again = dovetail.get_run(run.info.run_id)
    assert (again.info.status, again.data.metrics) == ("FINISHED", {"loss": 2.0})
    assert not list((tmp_path / "journals").rglob("*.journal"))
