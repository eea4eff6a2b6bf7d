"""Servers of peers, each started for a while in a folder of its own, and what is asked of them."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from peers import PeerFailed, environment

if TYPE_CHECKING:
    from collections.abc import Iterator

    from peers import Peer

__all__ = ["API", "Served", "serving"]

API = "/api/2.0/mlflow/"
INSIDE = Path(__file__).resolve().parent / "inside"
START, END, PATIENCE = 120.0, 30.0, 1800.0
PAGE = 25_000
COMMANDS = {
    "dovetail": ("server", "--backend-store-uri", "sqlite:///store.db", "--port", "{port}"),
    "mlflow": ("server", "--backend-store-uri", "sqlite:///store.db", "--port", "{port}", "--workers", "4"),
    "fasttrackml": ("server", "--database-uri", "sqlite://store.db", "--listen-address", "127.0.0.1:{port}"),
}
"""How each is started as it is shipped, with a sqlite store in the working folder."""


@dataclass(frozen=True)
class Served:
    """A server that runs.

    Args:
        peer: Whose it is.
        port: Where it listens.
        process: It.
        started: Seconds until it said that it is well.
    """

    peer: Peer
    port: int
    process: subprocess.Popen[bytes]
    started: float

    @property
    def url(self) -> str:
        """Where clients find it."""
        return f"http://127.0.0.1:{self.port}"

    def post(self, path: str, **body: Any) -> Any:
        """What it answers to a call of MLflow's."""
        return self._asked(path, json.dumps(body).encode())

    def get(self, path: str, **query: Any) -> Any:
        """The same for calls that change nothing."""
        return self._asked(f"{path}?{urlencode(query)}", None)

    def experiment(self, name: str) -> str:
        """A new experiment."""
        return str(self.post("experiments/create", name=name)["experiment_id"])

    def run(self, experiment_id: str) -> str:
        """A new run."""
        return str(self.post("runs/create", experiment_id=experiment_id, start_time=0)["run"]["info"]["run_id"])

    def steps(self, run_id: str, key: str) -> list[int]:
        """The steps of all points of a metric, as the server has them."""
        found: list[int] = []
        asked = {"run_id": run_id, "run_uuid": run_id, "metric_key": key, "max_results": PAGE}
        while True:
            page = self.get("metrics/get-history", **asked)
            found += [int(each.get("step", 0)) for each in page.get("metrics", ())]
            if not page.get("next_page_token"):
                return found
            asked["page_token"] = page["next_page_token"]

    def load(self, job: str, about: list[str], seconds: float = 0, before: float = 0) -> dict[str, Any]:
        """Do a job of ``inside/load.py``: one connection for each thing that it is about."""
        argv = [sys.executable, str(INSIDE / "load.py"), str(self.port), job, str(seconds), str(before), *about]
        done = subprocess.run(argv, env=environment(), capture_output=True, text=True, timeout=PATIENCE, check=False)
        if done.returncode:
            raise PeerFailed(argv[:6], done.returncode, done.stderr)
        found: dict[str, Any] = json.loads(done.stdout)
        return found

    def memory(self) -> float:
        """Resident memory of all its processes, in MB."""
        told = subprocess.run(["ps", "-A", "-o", "pid=,ppid=,rss="], capture_output=True, text=True, check=True).stdout
        lines = [tuple(map(int, line.split())) for line in told.splitlines()]
        family = {self.process.pid}
        while more := {pid for pid, parent, _ in lines if parent in family} - family:
            family |= more
        return sum(kilobytes for pid, _, kilobytes in lines if pid in family) * 1024 / 1e6

    def _asked(self, path: str, body: bytes | None) -> Any:
        asked = urllib.request.Request(self.url + API + path, body, {"Content-Type": "application/json"})
        try:
            with urllib.request.urlopen(asked, timeout=PATIENCE) as answer:
                return json.loads(answer.read())
        except urllib.error.HTTPError as error:
            raise PeerFailed([path], error.code, error.read().decode(errors="replace")) from error


@contextmanager
def serving(peer: Peer, place: Path) -> Iterator[Served]:
    """A server of a peer with a fresh store in an empty folder; ended in the end, with all its processes.

    Raises:
        PeerFailed: It does not come up.
    """
    port = _free()
    argv = [peer.command, *(each.format(port=port) for each in COMMANDS[peer.dialect.module])]
    with (place / "server.log").open("wb") as log:
        begin = time.perf_counter()
        process = subprocess.Popen(
            argv, cwd=place, env=environment(), stdout=log, stderr=log, stdin=subprocess.DEVNULL, start_new_session=True
        )
        try:
            _await(port, process, place)
            yield Served(peer, port, process, time.perf_counter() - begin)
        finally:
            _end(process)


def _await(port: int, process: subprocess.Popen[bytes], place: Path) -> None:
    begin = time.monotonic()
    while not _is_well(port):
        if process.poll() is not None or time.monotonic() - begin > START:
            raise PeerFailed(list(map(str, process.args)), process.poll() or -1, (place / "server.log").read_text())
        time.sleep(0.01)


def _is_well(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=5) as answer:
            return bool(answer.status == 200)  # noqa: PLR2004 - HTTP's
    except OSError:
        return False


def _end(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(END)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _free() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])
