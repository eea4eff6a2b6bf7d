"""Long histories on sqlite: logging a million points, reading them back, and what they take on disk."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

from workload import Figure, Goal, Sample, Workload, main

if TYPE_CHECKING:
    from pathlib import Path

    from peers import Peer

__all__ = ["WORKLOAD"]

LONG, VERY_LONG, SHORTER, SERIES = 1_000_000, 10_000_000, 200_000, 1000
PATIENCE = 3600.0


def prepare(peer: Peer, place: Path) -> list[str]:
    """Log the histories, each into a database of its own, and note what that took."""
    stores = {"long": (LONG, 1), "one": (SHORTER, 1), "interleaved": (SHORTER, SERIES)}
    if own(peer):
        stores["very_long"] = (VERY_LONG, 1)
    filled = {name: job(peer, place, name, "fill", *map(str, what)) for name, what in stores.items()}
    (place / "filled.json").write_text(json.dumps(filled), encoding="utf-8")
    return []


def sample(peer: Peer, place: Path) -> Sample:
    """Read them; what cannot be done by one of the two is left out of its figures."""
    filled = json.loads((place / "filled.json").read_text(encoding="utf-8"))
    run_id = filled["long"]["run_id"]
    values = {
        "log": filled["long"]["each"],
        "interleaved": filled["interleaved"]["each"] / filled["one"]["each"],
        "size": size(place / "long.db"),
        **job(peer, place, "long", "objects", run_id, str(LONG)),
    }
    if not own(peer):
        # Arrays are made of objects there: that is what they cost at least.
        return Sample({**values, "arrays": values["objects"]})
    values.update(job(peer, place, "long", "columns", run_id, str(LONG)))
    more = job(peer, place, "very_long", "columns", filled["very_long"]["run_id"], str(VERY_LONG))
    return Sample({**values, "plotted_10": more["plotted"], "triangles_10": more["triangles"]})


def job(peer: Peer, place: Path, name: str, what: str, *argv: str) -> dict[str, Any]:
    """What a process of the peer says about a database."""
    uri = f"sqlite:///{(place / f'{name}.db').as_posix()}"
    found: dict[str, Any] = json.loads(
        peer.run(*peer.inside("histories", what, uri, *argv), cwd=place, timeout=PATIENCE)
    )
    return found


def own(peer: Peer) -> bool:
    """Whether the peer has the verbs for columns."""
    return peer.dialect.module == "dovetail"


def size(path: Path) -> float:
    """MB (10⁶ bytes) of a database with the files beside it."""
    return sum(each.stat().st_size for each in path.parent.glob(f"{path.name}*")) / 1e6


WORKLOAD = Workload(
    name="histories",
    figures=(
        Figure("log", "1 M points in batches of 1000, a point", "µs", Goal(share=0.05)),
        Figure("interleaved", "1000 series in turn, times one series", "times", Goal(at_most=2)),
        Figure("size", "1 M points on disk", "MB", Goal(share=1)),
        Figure("objects", "1 M points as objects", "s", Goal(share=0.05)),
        Figure("arrays", "1 M points as arrays", "s", Goal(share=0.002)),
        Figure("plotted", "1 M points thinned out to 2000", "ms", Goal(at_most=40)),
        Figure("triangles", "the same by triangles", "ms"),
        Figure("part", "5000 steps in the midst of 1 M", "ms"),
        Figure("plotted_10", "10 M points thinned out to 2000", "ms", Goal(at_most=600)),
        Figure("triangles_10", "the same by triangles", "ms"),
    ),
    sample=sample,
    repeat=3,
    warm_up=False,
    prepare=prepare,
    whole=True,  # arrays want numpy, which comes with the flavors
)

if __name__ == "__main__":
    sys.exit(main(WORKLOAD))
