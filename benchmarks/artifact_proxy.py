"""Artifacts through a server: one large file up and down, many small ones, and the memory that it takes meanwhile."""

from __future__ import annotations

import http.client
import os
import sys
import tempfile
import threading
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from peers import PeerFailed
from served import serving
from workload import Figure, Goal, Sample, Workload, main

if TYPE_CHECKING:
    from collections.abc import Iterator

    from peers import Peer
    from served import Served

__all__ = ["WORKLOAD"]

BASE = "/api/2.0/mlflow-artifacts/artifacts/"
LARGE, SMALL, FILES = 256 << 20, 4 << 10, 500
PIECE = 1 << 20
OFTEN = 0.1
PATIENCE = 600.0


def sample(peer: Peer, place: Path) -> Sample:
    """A fresh server; what comes down is compared with what went up."""
    folder = Path(tempfile.mkdtemp(dir=place))
    large = folder / "large.bin"
    large.write_bytes(os.urandom(PIECE) * (LARGE // PIECE))
    with serving(peer, folder) as server:
        way = http.client.HTTPConnection("127.0.0.1", server.port, timeout=PATIENCE)
        before = server.memory()
        with _watched(server) as most:
            values = {"large_up": _up(way, "large.bin", large), "large_down": _down(way, "large.bin", large)}
        values |= _small(way)
        way.close()
    return Sample({**values, "memory": most[0], "more": most[0] - before})


def _up(way: http.client.HTTPConnection, name: str, large: Path) -> float:
    """MB a second on the way up."""
    start = time.perf_counter()
    with large.open("rb") as body:
        way.request("PUT", BASE + name, body, {"Content-Length": str(LARGE)})
        _confirm(way.getresponse(), name)
    return LARGE / 1e6 / (time.perf_counter() - start)


def _down(way: http.client.HTTPConnection, name: str, large: Path) -> float:
    """MB a second on the way down; what is compared meanwhile takes little of it."""
    start = time.perf_counter()
    way.request("GET", BASE + name)
    answer = way.getresponse()
    with large.open("rb") as expected:
        while piece := answer.read(PIECE):
            if piece != expected.read(len(piece)):
                raise PeerFailed(["GET", name], 1, "something else came down than went up")
        if expected.read(1):
            raise PeerFailed(["GET", name], 1, "less came down than went up")
    return LARGE / 1e6 / (time.perf_counter() - start)


def _small(way: http.client.HTTPConnection) -> dict[str, float]:
    """Small files a second, one after the other over one connection."""
    bodies = {f"small/{number}.bin": os.urandom(SMALL) for number in range(FILES)}
    start = time.perf_counter()
    for name, body in bodies.items():
        way.request("PUT", BASE + name, body)
        _confirm(way.getresponse(), name)
    between = time.perf_counter()
    for name, body in bodies.items():
        way.request("GET", BASE + name)
        if _confirm(way.getresponse(), name) != body:
            raise PeerFailed(["GET", name], 1, "something else came down than went up")
    return {"small_up": FILES / (between - start), "small_down": FILES / (time.perf_counter() - between)}


def _confirm(answer: http.client.HTTPResponse, name: str) -> bytes:
    """The body of a good answer."""
    body = answer.read()
    if answer.status != 200:  # noqa: PLR2004 - HTTP's
        raise PeerFailed([name], answer.status, body.decode(errors="replace"))
    return body


@contextmanager
def _watched(server: Served) -> Iterator[list[float]]:
    """The most memory that a server takes for a while."""
    most, over = [server.memory()], threading.Event()

    def watch() -> None:
        while not over.wait(OFTEN):
            most[0] = max(most[0], server.memory())

    watching = threading.Thread(target=watch)
    watching.start()
    try:
        yield most
    finally:
        over.set()
        watching.join()


WORKLOAD = Workload(
    name="artifact_proxy",
    figures=(
        Figure("large_up", f"a file of {LARGE >> 20} MB up", "MB/s", summary=max),
        Figure("large_down", "… and down", "MB/s", summary=max),
        Figure("memory", "… memory at most, all processes", "MB", Goal(at_most=150)),
        Figure("more", "… more than before", "MB"),
        Figure("small_up", f"files of {SMALL >> 10} kB up, one after the other", "files/s", summary=max),
        Figure("small_down", "… and down", "files/s", summary=max),
    ),
    sample=sample,
    repeat=3,
    warm_up=False,
    beside=("plugins/surfaces/server",),
)

if __name__ == "__main__":
    sys.exit(main(WORKLOAD))
