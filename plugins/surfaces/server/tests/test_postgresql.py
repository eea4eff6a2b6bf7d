"""Several workers on one PostgreSQL, which breaks down while clients log: nothing that was acknowledged is lost."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

pytest.importorskip("psycopg")

from dovetail.tracking import places
from dovetail_postgresql.testing import running_server
from dovetail_server.testing import Server

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator
    from pathlib import Path

    from dovetail_postgresql.testing import Server as PostgreSQL

CLIENTS = 8
AGAIN = {429, 503}
"""What clients send once more, as MLflow's do."""


@pytest.fixture(scope="module")
def postgresql() -> Iterator[PostgreSQL]:
    with running_server() as server:
        yield server
        places.forget_stores()


BEHIND = 20
"""Points that each client logs when the database is back for good."""


def logging(server: Server, run_id: str, worker: int, breaking: subprocess.Popen[bytes]) -> list[int]:
    """Log, each point again until it is acknowledged or refused; the steps that were acknowledged."""
    stored, step, left = [], worker, BEHIND
    while left:
        left -= breaking.poll() is not None
        point = {"run_id": run_id, "key": "loss", "value": step, "timestamp": step, "step": step}
        status, said = server.ask("POST", "runs/log-metric", point)
        while status in AGAIN:
            time.sleep(0.05)
            status, said = server.ask("POST", "runs/log-metric", point)
        assert status == 200, said
        stored.append(step)
        step += CLIENTS
    return stored


def test_what_is_acknowledged_is_there_although_the_database_breaks_down(
    postgresql: PostgreSQL, tmp_path: Path
) -> None:
    options = ["--backend-store-uri", postgresql.uri, "--workers", "3"]
    with Server(tmp_path, *options) as server, ThreadPoolExecutor(CLIENTS) as pool:
        server.wait()
        run_id = server.new_run()
        breaking = postgresql.breaking_down(2)
        logs = [pool.submit(logging, server, run_id, each, breaking) for each in range(CLIENTS)]
        stored = [step for each in logs for step in each.result()]
        assert breaking.wait() == 0
        assert server.ask("POST", "runs/set-tag", {"run_id": run_id, "key": "k", "value": "v"})[0] == 200
    found = [point.step for point in places.open_store(postgresql.uri).get_metric_history(run_id, "loss")]
    assert len(stored) >= BEHIND * CLIENTS
    assert sorted(found) == sorted(set(found)), "none twice"
    assert set(found) == set(stored)
