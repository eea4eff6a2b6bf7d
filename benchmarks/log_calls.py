"""Logging point by point: what a call costs, what it takes until all is stored, and what it does to a training loop."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from typing import TYPE_CHECKING

from peers import PeerFailed, environment
from workload import Figure, Goal, Sample, Workload, main

if TYPE_CHECKING:
    from pathlib import Path

    from peers import Peer

__all__ = ["WORKLOAD", "job", "race"]

PROCESSES, LONG, PATIENCE = 8, 10_000_000, 1800.0
FAST = {"calls": 200_000, "through": 2000, "race": 50_000, "loop": 60_000, "runs": 1000, "explicit": 2000}
SLOW = {"calls": 500, "race": 100, "loop": 2000, "runs": 100, "explicit": 200}
OTHER = {"calls": 20_000, "loop": 10_000}
"""How often each thing is done: by dovetail, by a peer that writes to its database at every call, by other loggers."""


def prepare(peer: Peer, place: Path) -> list[str]:
    """A run of ten million points, which only dovetail is asked for: it takes a minute there, half a day elsewhere."""
    found = job(peer, place, "memory", LONG) if peer.dialect.module == "dovetail" else {}
    (place / "long.json").write_text(json.dumps(found), encoding="utf-8")
    return []


def sample(peer: Peer, place: Path) -> Sample:
    """Everything once, each by a process of its own on a store of its own."""
    values = json.loads((place / "long.json").read_text(encoding="utf-8"))
    if peer.dialect.module not in {"dovetail", "mlflow"}:
        found = job(peer, place, "calls", OTHER["calls"])
        return Sample(
            {
                "any_acknowledged": found["acknowledged"],
                "any_committed": found["committed"],
                "slower": job(peer, place, "loop", OTHER["loop"])["slower"],
            }
        )
    count = FAST if peer.dialect.module == "dovetail" else SLOW
    calls = job(peer, place, "calls", count["calls"])
    # The peer survives a power cut by itself, as it is shipped.
    through = job(peer, place, "through", count["through"])["committed"] if "through" in count else calls["committed"]
    values.update(calls, any_acknowledged=calls["acknowledged"], any_committed=calls["committed"], through=through)
    for name in ("runs", "explicit", "loop"):
        values.update(job(peer, place, name, count[name]))
    return Sample({**values, "race": race(peer, place, count["race"])})


def job(peer: Peer, place: Path, name: str, count: int, url: str | None = None) -> dict[str, float]:
    """What a process of the peer says about a job; some libraries say other things before."""
    folder = tempfile.mkdtemp(dir=place)
    said = peer.run(*peer.inside("loggers", name, url or folder, str(count)), cwd=place / folder, timeout=PATIENCE)
    found: dict[str, float] = json.loads(said.strip().splitlines()[-1])
    return found


def race(peer: Peer, place: Path, count: int, url: str | None = None, processes: int = PROCESSES) -> float:
    """Microseconds a point while several processes log to one store, from the first start to the last end."""
    folder = tempfile.mkdtemp(dir=place)
    argv, pipe = peer.inside("loggers", "race", url or folder, str(count)), subprocess.PIPE
    racers = []
    for _ in range(processes):  # one after the other: who makes the database is another workload
        racer = subprocess.Popen(argv, cwd=folder, env=environment(), stdin=pipe, stdout=pipe, stderr=pipe, text=True)
        assert racer.stdout is not None
        if racer.stdout.readline() != "ready\n":
            raise PeerFailed(argv, racer.wait(), racer.communicate()[1])
        racers.append(racer)
    for racer in racers:
        assert racer.stdin is not None
        racer.stdin.write("go\n")
        racer.stdin.flush()
    said = [racer.communicate(timeout=PATIENCE) for racer in racers]
    for racer, (_, complaint) in zip(racers, said, strict=True):
        if racer.returncode:
            raise PeerFailed(argv, racer.returncode, complaint)
    times = [json.loads(answer) for answer, _ in said]
    taken = max(each["end"] for each in times) - min(each["start"] for each in times)
    return float(taken / (count * processes) * 1e6)


WORKLOAD = Workload(
    name="log_calls",
    figures=(
        Figure("acknowledged", "log_metric, a call", "µs", Goal(share=1 / 600)),
        Figure("committed", "the same to the end of the run, a point", "µs", Goal(share=1 / 300)),
        Figure("any_acknowledged", "log_metric, a call, beside any logger", "µs", Goal(share=0.2)),
        Figure("any_committed", "the same to the end of the run, a point", "µs"),
        Figure("runs", "a whole run: 10 params, 10 metrics, 5 tags", "ms", Goal(share=1 / 25)),
        Figure("race", f"{PROCESSES} processes on one file, a point", "µs", Goal(share=1 / 300)),
        Figure("explicit", "Client.log_metric, stored at each call", "µs", Goal(share=1 / 15)),
        Figure("through", "log_metric that survives a power cut", "µs", Goal(share=0.2)),
        Figure("slower", "a loop of 100 µs steps is slower by", "%", Goal(at_most=3)),
        Figure("memory", "memory of a run of 10 M points", "MB", Goal(at_most=150)),
        Figure("journal", "its journal on disk, a point", "bytes", Goal(at_most=60)),
    ),
    sample=sample,
    repeat=3,
    warm_up=False,
    prepare=prepare,
)

if __name__ == "__main__":
    sys.exit(main(WORKLOAD))
