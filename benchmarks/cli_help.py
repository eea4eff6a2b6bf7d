"""How long the command line takes to say what it can do, and which version it is."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from workload import Figure, Goal, Sample, Workload, main, seconds

if TYPE_CHECKING:
    from pathlib import Path

    from peers import Peer

__all__ = ["WORKLOAD"]


def sample(peer: Peer, place: Path) -> Sample:
    """Ask once for help and once for the version."""
    return Sample({word: seconds([peer.command, f"--{word}"], place) * 1e3 for word in ("help", "version")})


WORKLOAD = Workload(
    name="cli_help",
    figures=(
        Figure("help", "--help", "ms", Goal(at_most=240)),
        Figure("version", "--version", "ms"),
    ),
    sample=sample,
    repeat=9,
)

if __name__ == "__main__":
    sys.exit(main(WORKLOAD))
