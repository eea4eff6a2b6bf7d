"""How long a whole tracking script takes as a process, on a sqlite store that exists already."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

from peers import Peer, PeerFailed
from workload import Figure, Goal, Sample, Workload, main, seconds

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["WORKLOAD"]

SCRIPT = """\
import {module} as mlflow

mlflow.set_tracking_uri({uri!r})
mlflow.start_run()
mlflow.log_param("learning_rate", 0.1)
mlflow.log_metric("loss", 0.5)
mlflow.end_run()
"""


def prepare(peer: Peer, place: Path) -> list[str]:
    """Write the script, make the store by a first run of it, and ask which durability that store gives."""
    path = place / "train.py"
    path.write_text(SCRIPT.format(module=peer.dialect.module, uri=uri(place)), encoding="utf-8")
    peer.run(str(peer.python), str(path), cwd=place)
    return [peer.run(*peer.inside("pragmas", uri(place), "pragmas"), cwd=place).strip()]


def sample(peer: Peer, place: Path) -> Sample:
    """Run the script."""
    taken = seconds([str(peer.python), "train.py"], place)
    with (place / "times").open("a", encoding="utf-8") as times:
        times.write(f"{taken}\n")
    return Sample({"whole": taken * 1e3})


def check(peer: Peer, place: Path) -> list[str]:
    """Every script must have left a finished run with its metric in the store."""
    expected = 1 + len((place / "times").read_text(encoding="utf-8").splitlines())
    argv = peer.inside("points", uri(place), "Default", "loss")
    found = json.loads(peer.run(*argv, cwd=place))
    if (found["finished"], found["points"]) != (expected, expected):
        raise PeerFailed(argv, 0, f"{expected} runs were made, but the store holds {found}")
    return [f"{expected} of {expected} scripts left a finished run and its metric in the store"]


def uri(place: Path) -> str:
    """The store of one peer."""
    return f"sqlite:///{(place / 'store.db').as_posix()}"


WORKLOAD = Workload(
    name="script",
    figures=(Figure("whole", "whole script, as a process", "ms", Goal(share=0.1)),),
    sample=sample,
    repeat=9,
    prepare=prepare,
    check=check,
)

if __name__ == "__main__":
    sys.exit(main(WORKLOAD))
