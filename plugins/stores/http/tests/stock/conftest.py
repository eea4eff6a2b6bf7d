"""A real MLflow server, as anybody starts one.

``DOVETAIL_TEST_MLFLOW_PYTHON`` names an interpreter that has MLflow.
"""

from __future__ import annotations

import os
import sqlite3
import subprocess
import time
import urllib.request
from contextlib import closing, contextmanager
from pathlib import Path  # noqa: TC003 - a field of a tuple
from typing import TYPE_CHECKING, NamedTuple

import pytest

from dovetail_http.testing import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator

VARIABLE = "DOVETAIL_TEST_MLFLOW_PYTHON"


class Served(NamedTuple):
    """A server of MLflow's that runs."""

    uri: str
    database: Path
    artifacts: Path
    python: str

    def clear(self) -> None:
        """Make its database as it was when it was new: a start takes ten seconds."""
        with closing(sqlite3.connect(self.database, timeout=30)) as connection, connection:
            tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
            for table in tables:
                if table not in ("alembic_version", "workspaces", "experiments"):
                    connection.execute(f'DELETE FROM "{table}"')
            connection.execute("DELETE FROM experiments WHERE experiment_id != 0")
            connection.execute("UPDATE experiments SET lifecycle_stage = 'active', name = 'Default'")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the stories that a module's tables say cannot hold, or take minutes."""
    for item in items:
        name = getattr(item, "originalname", item.name)
        tables = [getattr(getattr(item, "module", None), table, {}) for table in ("CANNOT", "LEFT_OUT")]
        for table, mark in zip(tables, (pytest.mark.xfail(strict=True), pytest.mark.skip), strict=True):
            for reason in (reason for reason, stories in table.items() if {name, item.name} & set(stories)):
                item.add_marker(mark.with_args(reason=reason))


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server of MLflow's, as long as there are tests."""
    if not (python := os.environ.get(VARIABLE)):
        pytest.skip(f"{VARIABLE} is not set: let it name an interpreter with MLflow")
    with served(python, tmp_path_factory.mktemp("mlflow")) as server:
        yield server


@pytest.fixture
def server(running: Served) -> Iterator[Served]:
    """A server of MLflow's with nothing in it."""
    yield running
    running.clear()


@contextmanager
def served(python: str, folder: Path) -> Iterator[Served]:
    """A server of MLflow's in a folder, until the block ends."""
    port = free_port()
    database, artifacts = folder / "mlflow.db", folder / "artifacts"
    command = [python, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
    places = ["--backend-store-uri", f"sqlite:///{database}", "--artifacts-destination", str(artifacts)]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [*command, *places], cwd=folder, stdout=log, stderr=log, env=environment(), start_new_session=True
        )
    try:
        wait_for(f"http://127.0.0.1:{port}/health", process, folder / "log")
        yield Served(f"http://127.0.0.1:{port}", database, artifacts, python)
    finally:
        os.killpg(process.pid, 15)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, 9)
            process.wait(20)


def environment() -> dict[str, str]:
    """This process's, without what would make the server another one, and without MLflow's runner of jobs.

    The API needs none of its seven processes, which take 1.5 GB and the machine for ten seconds.
    """
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("MLFLOW_", "DOVETAIL_"))}
    quiet = {"MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "true", "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
    return {**kept, **quiet}


def wait_for(address: str, process: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + 120
    while time.monotonic() < end and process.poll() is None:
        try:
            with urllib.request.urlopen(address, timeout=5):
                return
        except OSError:  # noqa: PERF203 - what it is asked in a loop for
            time.sleep(0.2)
    pytest.fail(f"MLflow's server did not start: {log.read_text()[-2000:]}")
