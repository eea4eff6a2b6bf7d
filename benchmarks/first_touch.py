"""Sixteen processes meet on one sqlite file that does not exist yet: who succeeds, and which points are there."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

from peers import Peer, PeerFailed, environment
from workload import Figure, Goal, Sample, Workload, main

__all__ = ["WORKLOAD"]

PROCESSES, POINTS, PATIENCE = 16, 100, 300.0


def sample(peer: Peer, place: Path) -> Sample:
    """Let all processes load the library, release them together, and count what the store holds afterwards."""
    folder = Path(tempfile.mkdtemp(dir=place))
    uri = f"sqlite:///{(folder / 'fresh.db').as_posix()}"
    argv = peer.inside("racer", uri, "race", str(POINTS))
    racers = [_start(argv, folder, number) for number in range(PROCESSES)]
    for racer in racers:
        _line(racer)
    start = time.perf_counter()
    for racer in racers:
        _release(racer)
    succeeded = sum(_status(racer, start + PATIENCE) == 0 for racer in racers)
    taken = time.perf_counter() - start
    points, remarks = _points(peer, folder, uri)
    # The time of processes that failed early says nothing: it is given only if all of them did their work.
    time_taken = {"taken": taken} if succeeded == PROCESSES else {}
    return Sample({"succeeded": succeeded, "points": points, **time_taken}, (*remarks, *_complaints(folder)))


def prepare(peer: Peer, _place: Path) -> list[str]:
    """A library that is not really there fails differently from one that loses a race."""
    peer.confirm()
    return []


def _start(argv: list[str], folder: Path, number: int) -> subprocess.Popen[str]:
    pipe = subprocess.PIPE
    with (folder / f"{number}.said").open("w", encoding="utf-8") as said:
        return subprocess.Popen(argv, cwd=folder, env=environment(), stdin=pipe, stdout=pipe, stderr=said, text=True)


def _line(racer: subprocess.Popen[str]) -> str:
    assert racer.stdout is not None
    return racer.stdout.readline()


def _release(racer: subprocess.Popen[str]) -> None:
    assert racer.stdin is not None
    # A racer that died before the start is counted by its status.
    with suppress(BrokenPipeError):
        racer.stdin.write("go\n")
        racer.stdin.close()


def _status(racer: subprocess.Popen[str], deadline: float) -> int:
    assert racer.stdout is not None
    try:
        status = racer.wait(timeout=max(0.1, deadline - time.perf_counter()))
    except subprocess.TimeoutExpired:
        racer.kill()
        status = racer.wait()
    racer.stdout.close()
    return status


def _points(peer: Peer, folder: Path, uri: str) -> tuple[int, tuple[str, ...]]:
    try:
        found = json.loads(peer.run(*peer.inside("points", uri, "race", "m"), cwd=folder))
    except PeerFailed as error:
        return 0, (f"the store cannot be read afterwards: {_last(error.said)}",)
    return int(found["points"]), ()


def _complaints(folder: Path) -> tuple[str, ...]:
    said = (path.read_text(encoding="utf-8", errors="replace") for path in sorted(folder.glob("*.said")))
    kinds = dict.fromkeys(_last(text) for text in said if "Traceback" in text)
    return (f"{len(kinds)} different errors, among them: {next(iter(kinds))}",) if kinds else ()


def _last(text: str) -> str:
    """The line that names the error: the last one that starts with an exception's dotted name."""
    lines = text.strip().splitlines()
    named = [line for line in lines if re.match(r"(?:[A-Za-z_]\w*\.)*[A-Z]\w*: ", line)]
    return (named or lines or [""])[-1][:110]


WORKLOAD = Workload(
    name="first_touch",
    figures=(
        Figure("succeeded", f"of {PROCESSES} processes succeed", "", Goal(at_least=PROCESSES), summary=min),
        Figure(
            "points", f"of {PROCESSES * POINTS} points are there", "", Goal(at_least=PROCESSES * POINTS), summary=min
        ),
        Figure("taken", "until the last has ended", "s"),
    ),
    sample=sample,
    prepare=prepare,
    repeat=3,
    warm_up=False,
)

if __name__ == "__main__":
    sys.exit(main(WORKLOAD))
