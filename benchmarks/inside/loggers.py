"""Logs what `logging.py` reports; runs in the peer's interpreter.

Arguments: module, client class, module of the entities, a job of JOBS, a place (a folder, or the URL of a server of the
library's own), and what the job takes. Libraries that
do not have MLflow's verbs are spoken to through the few that every one of them has: begin, log a metric at a step, end.
"""

# ruff: noqa: D102 - what the methods of all loggers do stands in Logger
from __future__ import annotations

import json
import os
import sys
import time
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

STEP = 100e-6  # seconds that a step of a training loop takes
LONGER = 100
WARM = 200


class Logger(Protocol):
    """What every library can do."""

    def begin(self) -> None:
        """Start a run."""

    def log(self, step: int) -> None:
        """Log one metric at one step."""

    def end(self) -> None:
        """End the run: everything is stored when it returns."""


class Verbs:
    """Those that have MLflow's verbs."""

    def __init__(self, module: str, place: str) -> None:
        self._it: Any = import_module(module)
        self._it.set_tracking_uri(place if place.startswith("http") else f"sqlite:///{place}/store.db")
        self._it.set_experiment("logging")
        self.log_metric = self._it.log_metric
        self.run_id = ""

    def begin(self) -> None:
        self.run_id = self._it.start_run().info.run_id

    def log(self, step: int) -> None:
        self.log_metric("loss", 1.0 / (step + 1), step=step)

    def end(self) -> None:
        self._it.end_run()

    def stored(self, client: str) -> int:
        """How many points the store holds of the last run."""
        found: Any = getattr(self._it, client)()
        return len(found.get_metric_history(self.run_id, "loss"))


class Trackio:
    """Hugging Face's, into its own folder."""

    def __init__(self, place: str) -> None:
        os.environ.update(TRACKIO_DIR=place, TRACKIO_DISABLE_BUCKET="1", HF_HUB_OFFLINE="1")
        self._it: Any = import_module("trackio")

    def begin(self) -> None:
        self._it.init(project="logging", auto_log_gpu=False, embed=False)

    def log(self, step: int) -> None:
        self._it.log({"loss": 1.0 / (step + 1)}, step=step)

    def end(self) -> None:
        self._it.finish()


class Aim:
    """Aim, into a repository of its own."""

    def __init__(self, place: str) -> None:
        self._it: Any = import_module("aim")
        self._place = place

    def begin(self) -> None:
        self._run = self._it.Run(repo=self._place, system_tracking_interval=None, capture_terminal_logs=False)

    def log(self, step: int) -> None:
        self._run.track(1.0 / (step + 1), name="loss", step=step)

    def end(self) -> None:
        self._run.close()


class Wandb:
    """Weights & Biases without its service."""

    def __init__(self, place: str) -> None:
        os.environ.update(WANDB_MODE="offline", WANDB_DIR=place, WANDB_SILENT="true")
        self._it: Any = import_module("wandb")

    def begin(self) -> None:
        settings = self._it.Settings(console="off", x_disable_stats=True, x_disable_meta=True)
        self._run = self._it.init(project="logging", settings=settings)

    def log(self, step: int) -> None:
        self._run.log({"loss": 1.0 / (step + 1)}, step=step)

    def end(self) -> None:
        self._run.finish()


OTHERS: dict[str, Callable[[str], Logger]] = {"trackio": Trackio, "aim": Aim, "wandb": Wandb}


def main(module: str, client: str, entities: str, job: str, place: str, *argv: str) -> None:
    """Do one job and print one JSON object."""
    logger = OTHERS[module](place) if module in OTHERS else Verbs(module, place)
    print(json.dumps(JOBS[job](logger, client, entities, *map(int, argv))))


def calls(logger: Any, client: str, _: str, count: int) -> dict[str, float]:
    """Microseconds a call, as the caller sees it, and until the end of the run."""
    warm(logger)
    logger.begin()
    start = time.perf_counter()
    for step in range(count):
        logger.log(step)
    acknowledged = time.perf_counter() - start
    logger.end()
    whole = time.perf_counter() - start
    if isinstance(logger, Verbs):
        expect(logger.stored(client), count)
    return {"acknowledged": acknowledged / count * 1e6, "committed": whole / count * 1e6}


def through(logger: Any, client: str, entities: str, count: int) -> dict[str, float]:
    """The same where every call survives a power cut."""
    os.environ["DOVETAIL_DURABILITY"] = "power"
    return calls(logger, client, entities, count)


def loop(logger: Any, _: str, __: str, count: int) -> dict[str, float]:
    """By how much a loop that logs once a step is slower than one that does not, in percent."""
    warm(logger)
    logger.begin()
    plain, logged = [], []
    for first in range(0, count, 1000):  # in turn, so that a noisy moment hits both
        plain.append(steps(1000, lambda _: None))
        logged.append(steps(1000, logger.log, first))
    logger.end()
    plain.sort()
    logged.sort()
    middle = len(plain) // 2
    return {"slower": 100 * (logged[middle] / plain[middle] - 1)}


def epochs(logger: Any, _: str, __: str, count: int) -> dict[str, float]:
    """The same for steps a hundred times as long, each of which logs ten metrics."""
    warm(logger)
    logger.begin()
    it, plain, logged = logger._it, [], []  # noqa: SLF001 - ours

    def long(_: int) -> None:
        for _ in range(LONGER - 1):
            work()

    def log(step: int) -> None:
        long(step)
        it.log_metrics({f"metric-{number}": step + number / 10 for number in range(10)}, step=step)

    for first in range(0, count, 50):
        plain.append(steps(50, long))
        logged.append(steps(50, log, first))
    logger.end()
    middle = len(plain) // 2
    return {"slower": 100 * (sorted(logged)[middle] / sorted(plain)[middle] - 1)}


def steps(count: int, each: Callable[[int], object], first: int = 0) -> float:
    """Seconds that steps of work take; the work is counted, so that waiting for something shows."""
    start = time.perf_counter()
    for step in range(first, first + count):
        work()
        each(step)
    return time.perf_counter() - start


def work() -> None:
    """A step's worth of Python."""
    total = 0
    for number in range(WORK[0]):
        total += number


def calibrated() -> int:
    """How far `work` counts in a step."""
    WORK[0] = 1000
    best = min(steps(100, lambda _: None) for _ in range(20)) / 100
    return round(1000 * STEP / best)


WORK = [1000]
WORK[0] = calibrated()


def memory(logger: Any, _: str, __: str, count: int) -> dict[str, float]:
    """What a long run takes: memory at most, and bytes of the journal a point."""
    import resource

    logger.begin()
    largest = 0
    for step in range(count):
        logger.log(step)
        if step % 500_000 == 0:
            largest = max(largest, journals(Path.cwd()))
    largest = max(largest, journals(Path.cwd()))
    logger.end()
    return {"memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, "journal": largest / count}


def journals(place: Path) -> int:
    """Bytes of all journals below a folder."""
    found = 0
    for path in place.rglob("*.journal"):
        found += path.stat().st_blocks * 512
    return found


def runs(logger: Any, _: str, __: str, count: int) -> dict[str, float]:
    """Milliseconds a whole small run: ten params, ten metrics, five tags."""
    it = logger._it  # noqa: SLF001 - ours
    for number in range(-2, count):
        if number == 0:  # what is done once is done
            start = time.perf_counter()
        it.start_run()
        it.log_params({f"param_{each}": each for each in range(10)})
        it.log_metrics({f"metric_{each}": each / 10 for each in range(10)}, step=1)
        it.set_tags({f"tag_{each}": str(each) for each in range(5)})
        it.end_run()
    return {"runs": (time.perf_counter() - start) / count * 1e3}


def explicit(logger: Any, client: str, _: str, count: int) -> dict[str, float]:
    """Microseconds a call of `Client.log_metric`, which is stored when it returns."""
    warm(logger)
    logger.begin()
    found = getattr(logger._it, client)()  # noqa: SLF001 - ours
    start = time.perf_counter()
    for step in range(count):
        found.log_metric(logger.run_id, "loss", 1.0 / (step + 1), step=step)
    taken = time.perf_counter() - start
    logger.end()
    expect(logger.stored(client), count)
    return {"explicit": taken / count * 1e6}


def race(logger: Any, client: str, _: str, count: int) -> dict[str, float]:
    """One of several processes on one file: says "ready", starts when it is sent a line."""
    warm(logger)
    print("ready", flush=True)
    sys.stdin.readline()
    start = time.time()
    logger.begin()
    for step in range(count):
        logger.log(step)
    logger.end()
    end = time.time()
    expect(logger.stored(client), count)
    return {"start": start, "end": end}


def warm(logger: Any) -> None:
    """Connections, caches and imports are there before the clock starts."""
    logger.begin()
    for step in range(WARM):
        logger.log(step)
    logger.end()


def expect(found: object, expected: object) -> None:
    """A figure for work that was not done would be worth nothing."""
    if found != expected:
        sys.exit(f"expected {expected} in the store, found {found}")


JOBS: dict[str, Callable[..., dict[str, float]]] = {
    "calls": calls,
    "through": through,
    "loop": loop,
    "epochs": epochs,
    "memory": memory,
    "runs": runs,
    "explicit": explicit,
    "race": race,
}

if __name__ == "__main__":
    main(*sys.argv[1:])
