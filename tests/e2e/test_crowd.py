"""Sixty-four processes that log through one server, whose PostgreSQL breaks down meanwhile: no error, nothing lost.

``DOVETAIL_TEST_CROWD`` says how many points each of them logs; ten thousand take a minute or two, and the machine with
them, so that nothing else is tested meanwhile.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

pytest.importorskip("psycopg")
pytest.importorskip("dovetail_server")

from dovetail.tracking import places
from dovetail_postgresql.testing import running_server
from dovetail_server.testing import Server

if TYPE_CHECKING:
    from pathlib import Path

CLIENTS = 64
VARIABLE = "DOVETAIL_TEST_CROWD"
POINTS = int(os.environ.get(VARIABLE, "0"))
TRAIN = """
import sys, time
import dovetail as mlflow

with mlflow.start_run(run_name=sys.argv[1]):
    for step in range(int(sys.argv[2])):
        mlflow.log_metric("loss", step, step=step)
        if step % 100 == 0:
            time.sleep(0.5)  # a slow step now and then: the database is away in between
"""

pytestmark = [
    pytest.mark.skipif(not POINTS, reason=f"{VARIABLE} is not set: let it say how many points each of them logs"),
    pytest.mark.timeout(600),
]


def test_a_crowd_logs_while_the_database_breaks_down(tmp_path: Path) -> None:
    with running_server() as postgresql:
        with Server(tmp_path, "--backend-store-uri", postgresql.uri, "--workers", "2") as server:
            server.wait()
            crowd = [client(tmp_path, server.url, number) for number in range(CLIENTS)]
            while begun(server) < CLIENTS // 2:
                time.sleep(0.1)
            breaking = postgresql.breaking_down(2)
            said = [each.communicate(timeout=500)[1] for each in crowd]
            assert breaking.wait() == 0
        assert [each.returncode for each in crowd] == [0] * CLIENTS, said
        assert not any("Traceback" in each or "refused" in each for each in said), said
        store = places.open_store(postgresql.uri)
        try:
            runs = store.search_runs(["0"], max_results=CLIENTS + 1)
            assert sorted(int(run.info.run_name) for run in runs) == list(range(CLIENTS))
            assert {run.info.status for run in runs} == {"FINISHED"}
            for run in runs:
                history = store.get_metric_history(run.info.run_id, "loss")
                assert [point.step for point in history] == list(range(POINTS)), "all of them, each once"
        finally:
            places.forget_stores()


def begun(server: Server) -> int:
    """How many of them have a run."""
    status, found = server.ask("POST", "runs/search", {"experiment_ids": ["0"], "max_results": CLIENTS})
    assert status == 200, found
    return len(found.get("runs", ()))


def client(folder: Path, url: str, number: int) -> subprocess.Popen[str]:
    variables = {"DOVETAIL_TRACKING_URI": url, "DOVETAIL_STATE_DIR": str(folder / f"client-{number}")}
    return subprocess.Popen(
        [sys.executable, "-c", TRAIN, str(number), str(POINTS)],
        cwd=folder,
        env={**os.environ, **variables},
        stderr=subprocess.PIPE,
        text=True,
    )
