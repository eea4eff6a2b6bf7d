"""A server under load, asked in MLflow's words: logging, reading a run, searching, its start and its memory."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from peers import PeerFailed
from served import serving
from workload import Figure, Goal, Sample, Workload, main

if TYPE_CHECKING:
    from peers import Peer
    from served import Served

__all__ = ["WORKLOAD"]

CONNECTIONS = (1, 8, 32)
SECONDS, BEFORE = 3.0, 0.5
"""How long each load goes on, and before that without being counted."""
RUNS, FILLERS = 10_000, 8
FEWER = {"mlflow": 1000}
"""Runs of a peer that would take too long to log as many."""
FIRST = 1_000_000
"""The step that ``inside/load.py`` begins with."""
KEYS = {"log_metric": ("loss",), "log_batch": ("metric-0", "metric-50", "metric-99")}
"""The metrics that are read back, of those that each kind of request logs."""


def sample(peer: Peer, place: Path) -> Sample:
    """A fresh server: every load in turn, each on runs of its own, then searches among ten thousand runs."""
    folder = Path(tempfile.mkdtemp(dir=place))
    with serving(peer, folder) as server:
        values = {"start": server.started}
        experiment_id = server.experiment("load")
        for count in CONNECTIONS:
            runs = [server.run(experiment_id) for _ in range(count)]
            for job in ("log_metric", "log_batch"):
                values |= _loaded(server, job, runs)
            values |= _loaded(server, "get", [_small(server, experiment_id) for _ in range(count)])
        values["memory"] = server.memory()
        values |= _searched(server)
        values["memory_after"] = server.memory()
    return Sample(values, _remarks(peer, values))


def _remarks(peer: Peer, values: dict[str, float]) -> tuple[str, ...]:
    module, refused = peer.dialect.module, sum(value for name, value in values.items() if name.endswith("_refused"))
    fewer = [f"searches among {FEWER[module]} runs"] if module in FEWER else []
    return (*fewer, *([f"{refused:.0f} requests were refused"] if refused else []))


def _small(server: Served, experiment_id: str) -> str:
    """A run with ten metrics, ten params and a tag."""
    run_id = server.run(experiment_id)
    metrics = [{"key": f"m{key}", "value": key / 10, "timestamp": 1_700_000_000_000, "step": 0} for key in range(10)]
    params = [{"key": f"p{key}", "value": f"value-{key}"} for key in range(10)]
    server.post("runs/log-batch", run_id=run_id, metrics=metrics, params=params, tags=[{"key": "team", "value": "a"}])
    return run_id


def _loaded(server: Served, job: str, runs: list[str]) -> dict[str, float]:
    """Requests in a second and the time of the slowest hundredth, after making sure that all is stored."""
    found = server.load(job, runs, SECONDS, BEFORE)
    for run_id, sent, refused in zip(runs, found["sent"], found["refused"], strict=True):
        for key in KEYS.get(job, ()):
            _confirm(server, run_id, key, sent, refused)
    count = sum(map(len, found["refused"]))
    if count and server.peer.dialect.module == "dovetail":
        raise PeerFailed([job], count, found["refusal"])
    named = f"{job}_{len(runs)}"
    return {named: found["rate"], f"{named}_p99": found["p99"] * 1e3, f"{named}_refused": count}


def _confirm(server: Served, run_id: str, key: str, sent: int, refused: list[int]) -> None:
    """Every point that the server said was logged is there, once; it may have stored one that it refused."""
    every = set(range(FIRST, FIRST + sent))
    steps = server.steps(run_id, key)
    if len(steps) > len(set(steps)) or not every - {FIRST + each for each in refused} <= set(steps) <= every:
        said = f"{sent - len(refused)} points of {key} were acknowledged, {len(steps)} are there"
        raise PeerFailed(["metrics/get-history"], 1, said)


def _searched(server: Served) -> dict[str, float]:
    """Milliseconds of the middle search of some."""
    experiment_id = server.experiment("search")
    runs = FEWER.get(server.peer.dialect.module, RUNS)
    filling = server.load("fill", [f"{experiment_id}:{runs // FILLERS}"] * FILLERS)
    return {
        "fill": filling["rate"],
        **{job: server.load(job, [experiment_id], SECONDS, BEFORE)["middle"] * 1e3 for job in ("search", "best")},
    }


def _rates(job: str, label: str, **least: dict[int, float]) -> list[Figure]:
    """Figures of requests in a second, at each number of connections."""
    return [
        Figure(
            f"{job}_{count}",
            f"{label}, {count} connection{'s' * (count > 1)}",
            "req/s",
            Goal(times={peer: factors[count] for peer, factors in least.items()}) if least else None,
            summary=max,
        )
        for count in CONNECTIONS
    ]


WORKLOAD = Workload(
    name="serving",
    # The best of the repetitions: whatever else the machine does takes from every peer, but not at the same moment.
    figures=(
        *_rates("log_metric", "log-metric", fasttrackml={1: 2.5, 8: 5, 32: 6}, mlflow=dict.fromkeys(CONNECTIONS, 60)),
        Figure("log_metric_32_p99", "… 99 of 100 within", "ms", Goal(at_most=20), summary=min),
        *_rates("log_batch", "log-batch of 100 metrics", fasttrackml={1: 5, 8: 8, 32: 10}),
        Figure("log_batch_32_p99", "… 99 of 100 within", "ms", summary=min),
        *_rates("get", "runs/get", fasttrackml=dict.fromkeys(CONNECTIONS, 1.5)),
        Figure("search", f"runs/search, the newest 100 of {RUNS} runs", "ms", Goal(at_most=10), summary=min),
        Figure("best", "… the best 100 by a metric of half of them", "ms", summary=min),
        Figure("fill", "filling it: runs/create and log-batch in turn, 8 connections", "req/s", summary=max),
        Figure("start", "start to the first answer", "s", Goal(at_most=0.6), summary=min),
        Figure("memory", "memory after the loads, all processes", "MB", Goal(at_most=100)),
        Figure("memory_after", "… after the searches, too", "MB"),
    ),
    sample=sample,
    repeat=3,
    warm_up=False,
    beside=("plugins/surfaces/server",),
)

if __name__ == "__main__":
    sys.exit(main(WORKLOAD))
