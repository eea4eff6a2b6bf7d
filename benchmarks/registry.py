"""What searching a large model registry and moving an alias costs, on a sqlite store."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

from workload import Figure, Goal, Sample, Workload, main

if TYPE_CHECKING:
    from pathlib import Path

    from peers import Peer

__all__ = ["WORKLOAD"]

MODELS = {"dovetail": 10_000}
FEWER = 200
"""Models of a peer that would take too long to register as many."""


def fill(peer: Peer, place: Path) -> list[str]:
    """Register the models by the peer's own client."""
    peer.run(*_program(peer, place, "fill"), cwd=place, timeout=1800)
    size = (place / "store.db").stat().st_size / 1e6
    return [f"{peer.name}: {_models(peer)} models of 10 versions in {size:.0f} MB"]


def sample(peer: Peer, place: Path) -> Sample:
    """One process makes all the calls and times them itself; it fails if an alias is not where it was moved."""
    return Sample(json.loads(peer.run(*_program(peer, place, "measure"), cwd=place).strip().splitlines()[-1]))


def _program(peer: Peer, place: Path, job: str) -> list[str]:
    uri = f"sqlite:///{(place / 'store.db').as_posix()}"
    return peer.inside("registrations", uri, job, str(_models(peer)))


def _models(peer: Peer) -> int:
    return MODELS.get(peer.dialect.module, FEWER)


WORKLOAD = Workload(
    name="registry",
    figures=(
        Figure("by_name", "page of 100 models", "ms", Goal(at_most=10)),
        Figure("by_update", "… by their last update", "ms", Goal(at_most=10)),
        Figure("by_filter", "… whose names are LIKE something, no prompts", "ms", Goal(at_most=10)),
        Figure("by_tag", "… that have a tag of some value", "ms", Goal(at_most=10)),
        Figure("versions", "page of 100 versions", "ms", Goal(at_most=10)),
        Figure("versions_of", "all versions of one model", "ms", Goal(at_most=10)),
        Figure("alias", "moving an alias", "ms", Goal(at_most=2)),
    ),
    sample=sample,
    prepare=fill,
    repeat=5,
)

if __name__ == "__main__":
    sys.exit(main(WORKLOAD))
