"""How long `import` of the library takes, over the start of a bare interpreter."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from workload import Figure, Goal, Sample, Workload, main, seconds

if TYPE_CHECKING:
    from pathlib import Path

    from peers import Peer

__all__ = ["WORKLOAD"]


def prepare(peer: Peer, _place: Path) -> list[str]:
    """A library that is not really there would import fastest of all."""
    peer.confirm()
    return []


def sample(peer: Peer, place: Path) -> Sample:
    """Start the interpreter with and without the import, one right after the other."""
    bare = seconds([str(peer.python), "-c", "pass"], place)
    loaded = seconds([str(peer.python), "-c", f"import {peer.dialect.module}"], place)
    return Sample({"bare": bare * 1e3, "over": (loaded - bare) * 1e3})


WORKLOAD = Workload(
    name="import_time",
    figures=(
        Figure("bare", "bare interpreter", "ms"),
        Figure("over", "import, over bare", "ms", Goal(at_most=20)),
    ),
    sample=sample,
    prepare=prepare,
    repeat=15,
)

if __name__ == "__main__":
    sys.exit(main(WORKLOAD))
