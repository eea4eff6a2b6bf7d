"""What an installation puts on the disk: distributions and megabytes, byte code not counted."""

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
    """Add up the files that the installed distributions list as theirs."""
    sizes = json.loads(peer.run(*peer.inside("distributions"), cwd=place))
    largest = sorted(sizes, key=sizes.__getitem__, reverse=True)[:5]
    told = ", ".join(f"{name} {sizes[name] / 1e6:.1f}" for name in largest)
    return Sample({"count": len(sizes), "size": sum(sizes.values()) / 1e6}, (f"largest, in MB: {told}",))


WORKLOAD = Workload(
    name="install_size",
    figures=(
        Figure("count", "distributions", "", Goal(at_most=25)),
        Figure("size", "without byte code", "MB", Goal(at_most=60)),
    ),
    sample=sample,
    repeat=1,
    warm_up=False,
)

if __name__ == "__main__":
    sys.exit(main(WORKLOAD))
