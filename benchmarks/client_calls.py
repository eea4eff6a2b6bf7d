"""What single calls of the library cost on a sqlite store that exists already."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

from workload import Figure, Goal, Sample, Workload, main

if TYPE_CHECKING:
    from pathlib import Path

    from peers import Peer

__all__ = ["WORKLOAD"]


def sample(peer: Peer, place: Path) -> Sample:
    """One process makes all the calls and times them itself; it fails if a point did not arrive."""
    uri = f"sqlite:///{(place / 'store.db').as_posix()}"
    return Sample(json.loads(peer.run(*peer.inside("calls", uri, "calls"), cwd=place)))


WORKLOAD = Workload(
    name="client_calls",
    figures=(
        Figure("log_metric", "log_metric, middle call of 500", "µs"),
        Figure("log_metric_p99", "log_metric, 99th percentile", "µs"),
        Figure("log_metric_stored", "500 log_metric and end_run, a point", "µs"),
        Figure("log_param", "log_param, middle call of 100", "µs"),
        Figure("log_batch", "Client.log_batch of 1000 metrics", "ms", Goal(share=0.1)),
        Figure("whole_run", "run: 10 params, 10 metrics, 5 tags", "ms", Goal(share=0.1)),
        Figure("get_run", "Client.get_run of such a run", "ms", Goal(share=0.1)),
    ),
    sample=sample,
)

if __name__ == "__main__":
    sys.exit(main(WORKLOAD))
