"""A peer's clients and its server together: many at once, a long run, and what a training loop notices."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from log_calls import job, race
from served import serving
from workload import Figure, Goal, Sample, Workload, main

if TYPE_CHECKING:
    from peers import Peer

__all__ = ["WORKLOAD"]

CLIENTS = 64
FAST = {"crowd": 10_000, "long": 1_000_000, "epochs": 1000}
SLOW = {"crowd": 20, "long": 500, "epochs": 100}
"""How often each thing is done: by dovetail, and by a peer that sends a request for every point and waits for it."""


def sample(peer: Peer, place: Path) -> Sample:
    """Everything once, with one server; every client reads back what it logged."""
    count = FAST if peer.dialect.module == "dovetail" else SLOW
    folder = Path(tempfile.mkdtemp(dir=place))
    with serving(peer, folder) as server:
        crowd = race(peer, place, count["crowd"], server.url, CLIENTS)
        values = {"crowd": crowd}
        if count["crowd"] == FAST["crowd"]:
            values["whole"] = crowd * CLIENTS * count["crowd"] / 1e6
        values["crowd_memory"] = server.memory()
        long = job(peer, place, "calls", count["long"], server.url)
        behind = (long["committed"] - long["acknowledged"]) * count["long"] / 1e6
        values |= {"long": 60 / long["committed"], "behind": behind, "long_memory": server.memory()}
        values |= job(peer, place, "epochs", count["epochs"], server.url)
    return Sample(values)


WORKLOAD = Workload(
    name="client_server",
    figures=(
        Figure("crowd", f"{CLIENTS} processes log point by point, a point", "µs", Goal(share=1 / 60)),
        Figure("whole", f"… {FAST['crowd']} points each until all are stored", "s"),
        Figure("crowd_memory", "… memory of the server", "MB"),
        Figure("long", "one process logs point by point until all are stored", "M points/min", Goal(at_least=1)),
        Figure("behind", "… from the last call until all are stored", "s"),
        Figure("long_memory", "… memory of the server", "MB"),
        Figure("slower", "a loop of 10 ms steps that log 10 metrics each is slower by", "%", Goal(at_most=2)),
    ),
    sample=sample,
    repeat=1,
    warm_up=False,
    beside=("plugins/surfaces/server", "plugins/stores/http"),
)

if __name__ == "__main__":
    sys.exit(main(WORKLOAD))
