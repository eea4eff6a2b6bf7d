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
    """Ask once for help, for a group's help, and for the version."""
    asked = {"help": ["--help"], "runs_help": ["runs", "--help"], "version": ["--version"]}
    return Sample({key: seconds([peer.command, *words], place) * 1e3 for key, words in asked.items()})


WORKLOAD = Workload(
    name="cli_help",
    figures=(
        Figure("help", "--help", "ms", Goal(at_most=180)),
        Figure("runs_help", "runs --help", "ms", Goal(at_most=250)),
        Figure("version", "--version", "ms"),
    ),
    sample=sample,
    repeat=9,
    whole=True,
)

if __name__ == "__main__":
    sys.exit(main(WORKLOAD))
