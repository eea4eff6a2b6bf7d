"""Searching runs on sqlite: among a thousand, ten thousand and a hundred thousand of them."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

from workload import Figure, Goal, Sample, Workload, main

if TYPE_CHECKING:
    from pathlib import Path

    from peers import Peer

__all__ = ["WORKLOAD"]

SIZES = {"1k": 1_000, "10k": 10_000, "100k": 100_000}
PATIENCE = 3600.0


def fill(peer: Peer, place: Path) -> list[str]:
    """Log the runs, each size into a database of its own."""
    remarks = []
    for name, count in SIZES.items():
        _job(peer, place, name, "fill")
        size = sum(each.stat().st_size for each in place.glob(f"{name}.db*")) / 1e6
        remarks.append(f"{peer.name}: {count} runs in {size:.0f} MB")
    return remarks


def sample(peer: Peer, place: Path) -> Sample:
    """One process a size makes all the searches, times them itself, and fails if one does not find what it must."""
    values: dict[str, float] = {}
    for name in SIZES:
        values |= {f"{key}_{name}": value for key, value in _job(peer, place, name, "measure").items()}
    values["growth"] = values["metric_100k"] / values["metric_1k"]
    # Rows are made of objects there: that is what they cost at least.
    return Sample({**{f"rows_{name}": values[f"objects_{name}"] for name in SIZES}, **values})


def _job(peer: Peer, place: Path, name: str, job: str) -> dict[str, Any]:
    uri = f"sqlite:///{(place / f'{name}.db').as_posix()}"
    said = peer.run(*peer.inside("searches", uri, job, str(SIZES[name])), cwd=place, timeout=PATIENCE)
    found: dict[str, Any] = json.loads(said.strip().splitlines()[-1])
    return found


WORKLOAD = Workload(
    name="search",
    figures=(
        Figure("metric_1k", "1 000 runs: filter, by a metric, 100", "ms", Goal(at_most=10)),
        Figure("metric_10k", "10 000 runs: the same", "ms", Goal(share=0.05)),
        Figure("metric_100k", "100 000 runs: the same", "ms", Goal(at_most=10)),
        Figure("metric_100k", "… and beside the peer", "ms", Goal(share=0.001)),
        Figure("growth", "100 000 runs to 1 000", "times", Goal(at_most=3)),
        Figure("rare_10k", "10 000 runs: 10 found, by a metric", "ms", Goal(share=0.05)),
        Figure("rare_100k", "100 000 runs: the same", "ms", Goal(at_most=150)),
        Figure("pattern_100k", "100 000 runs: 10 found by LIKE, by a metric", "ms", Goal(at_most=50)),
        Figure("number_100k", "100 000 runs: 10 found by a param as a number", "ms", Goal(at_most=50)),
        Figure("mixed_100k", "100 000 runs: OR, NOT, LIKE and ILIKE", "ms", Goal(at_most=50)),
        Figure("objects_10k", "10 000 runs page by page, a run", "µs", Goal(share=1 / 12)),
        Figure("objects_100k", "100 000 runs page by page, a run", "µs", Goal(share=1 / 12)),
        Figure("rows_10k", "10 000 runs as plain rows, a run", "µs", Goal(share=0.05)),
        Figure("rows_100k", "100 000 runs as plain rows, a run", "µs", Goal(share=0.05)),
        Figure("count_100k", "100 000 runs: counting those a filter finds", "ms"),
    ),
    sample=sample,
    prepare=fill,
    repeat=3,
    warm_up=False,
)

if __name__ == "__main__":
    sys.exit(main(WORKLOAD))
