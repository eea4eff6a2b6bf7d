"""What a workload is, and how it is measured: in turn on every peer, over and over, medians taken."""

from __future__ import annotations

import argparse
import json
import subprocess
import tempfile
import time
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from machine import describe
from peers import DIALECTS, Peer, PeerFailed, environment
from table import render

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["Figure", "Goal", "Measured", "Sample", "Workload", "main", "measure", "repetitions", "seconds"]


@dataclass(frozen=True)
class Goal:
    """What dovetail wants of a figure.

    Args:
        at_most: An upper bound.
        at_least: A lower bound.
        share: A share of the first peer's value, which may not be passed.
        times: Multiples of the values of peers, by their modules, which must be reached.
    """

    at_most: float | None = None
    at_least: float | None = None
    share: float | None = None
    times: Mapping[str, float] = field(default_factory=dict)

    def met(self, own: float | None, others: Mapping[str, float | None]) -> bool | None:
        """Whether the goal is met; None if a value that it needs was not measured.

        Args:
            own: dovetail's value.
            others: Those of the peers, by their modules.
        """
        if own is None:
            return None
        if self.times:
            least = [
                self.times[peer] * value for peer, value in others.items() if peer in self.times and value is not None
            ]
            return own >= max(least) if least else None
        if self.share is not None:
            other = next(iter(others.values()), None)
            return None if other is None else own <= self.share * other
        return own <= self.at_most if self.at_most is not None else own >= (self.at_least or 0)

    def __str__(self) -> str:
        if self.times:
            return " and ".join(f"≥ {factor:g} times {peer}" for peer, factor in self.times.items())
        if self.share is not None:
            return f"≤ 1/{1 / self.share:.0f} of peer" if self.share < 1 else f"≤ {self.share:g} of peer"
        return f"≤ {self.at_most:g}" if self.at_most is not None else f"≥ {self.at_least:g}"


@dataclass(frozen=True)
class Figure:
    """One number that a workload yields.

    Args:
        key: Its name in a sample.
        label: Its name in the table.
        unit: The unit of the values.
        goal: What dovetail wants of it; None if it is only observed.
        summary: How samples become one value; reliability is told by the worst, not the middle.
    """

    key: str
    label: str
    unit: str
    goal: Goal | None = None
    summary: Callable[[list[float]], float] = median


@dataclass(frozen=True)
class Sample:
    """The values of one repetition and what is worth saying about it."""

    values: dict[str, float]
    remarks: tuple[str, ...] = ()


def _nothing(_peer: Peer, _place: Path) -> list[str]:
    return []


@dataclass(frozen=True)
class Workload:
    """One thing people do, measured.

    Args:
        name: The script's name without `.py`.
        figures: The numbers its samples hold.
        sample: Does it once on a peer in that peer's folder.
        repeat: How often it is done unless told otherwise.
        warm_up: Whether one more repetition goes first and is thrown away.
        prepare: Done once before; returns remarks for the report.
        check: Done once afterwards: whether the work was really done. Returns remarks; raises PeerFailed if not.
        whole: Whether it is about dovetail with every plugin of the checkout installed.
        beside: Folders of plugins that it needs beside those that are always there.
    """

    name: str
    figures: tuple[Figure, ...]
    sample: Callable[[Peer, Path], Sample]
    repeat: int = 7
    warm_up: bool = True
    prepare: Callable[[Peer, Path], list[str]] = _nothing
    check: Callable[[Peer, Path], list[str]] = _nothing
    whole: bool = False
    beside: tuple[str, ...] = ()


@dataclass
class Measured:
    """All samples of one workload on one peer."""

    workload: Workload
    peer: Peer
    samples: list[Sample] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    failure: str | None = None

    def values(self, figure: Figure) -> list[float]:
        """The figure in every sample that has it."""
        return [sample.values[figure.key] for sample in self.samples if figure.key in sample.values]

    def value(self, figure: Figure) -> float | None:
        """The figure over all samples; None if there is none or the workload could not be run."""
        values = self.values(figure)
        return figure.summary(values) if values and self.failure is None else None

    def said(self) -> list[str]:
        """Every remark once, in order of appearance."""
        return list(dict.fromkeys([*self.remarks, *(text for sample in self.samples for text in sample.remarks)]))


def measure(workload: Workload, peers: list[Peer], repeat: int | None = None) -> list[Measured]:
    """Run a workload on every peer in turn, `repeat` times: A B A B, so that a noisy minute hits both."""
    with tempfile.TemporaryDirectory(prefix=f"{workload.name}-", ignore_cleanup_errors=True) as root:
        columns = [(Measured(workload, peer), Path(root, str(number))) for number, peer in enumerate(peers)]
        for column, place in columns:
            place.mkdir()
            _attempt(column, partial(_begin, column, place))
        for _ in range(repeat or workload.repeat):
            for column, place in columns:
                _attempt(column, partial(_once, column, place))
        for column, place in columns:
            _attempt(column, partial(_end, column, place))
    return [column for column, _ in columns]


def _begin(column: Measured, place: Path) -> None:
    column.remarks += column.workload.prepare(column.peer, place)
    if column.workload.warm_up:
        column.workload.sample(column.peer, place)


def _once(column: Measured, place: Path) -> None:
    column.samples.append(column.workload.sample(column.peer, place))


def _end(column: Measured, place: Path) -> None:
    column.remarks += column.workload.check(column.peer, place)


def _attempt(column: Measured, step: Callable[[], None]) -> None:
    if column.failure is not None:
        return
    try:
        step()
    except (PeerFailed, subprocess.TimeoutExpired) as error:
        column.failure = str(error)


def seconds(argv: list[str], place: Path) -> float:
    """How long a process takes from its start to its end.

    Raises:
        PeerFailed: It did not end with status 0.
    """
    with tempfile.TemporaryFile("w+") as said:
        start = time.perf_counter()
        done = subprocess.run(
            argv, cwd=place, env=environment(), stdout=subprocess.DEVNULL, stderr=said, timeout=600, check=False
        )
        taken = time.perf_counter() - start
        said.seek(0)
        if done.returncode != 0:
            raise PeerFailed(argv, done.returncode, said.read())
    return taken


def repetitions(text: str) -> int:
    """Read a number of repetitions: one or more."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("at least one repetition is needed")
    return number


def main(workload: Workload) -> int:
    """The command line of a workload run alone."""
    options = _options(workload)
    if len(options.python) != len(options.module):
        raise SystemExit("every --python needs its --module")
    # Not resolved: an environment's interpreter is a link, and following it would leave the environment.
    peers = [
        Peer(
            f"{module} ({place})" if options.module.count(module) > 1 else module,
            Path(python).absolute(),
            DIALECTS[module],
        )
        for place, (python, module) in enumerate(zip(options.python, options.module, strict=True), start=1)
    ]
    before = describe()
    measured = measure(workload, peers, options.repeat)
    report = render([measured], [before, describe()])
    print(json.dumps(report.data, indent=2) if options.json else report.text)
    return int(any(column.failure for column in measured))


def _options(workload: Workload) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog=f"{workload.name}.py")
    parser.add_argument("--python", action="append", required=True, help="interpreter of an environment; repeatable")
    parser.add_argument("--module", action="append", required=True, choices=sorted(DIALECTS), help="what is in it")
    parser.add_argument("--repeat", type=repetitions, help=f"repetitions (default {workload.repeat})")
    parser.add_argument("--json", action="store_true", help="print every sample as JSON instead of the table")
    return parser.parse_args()
