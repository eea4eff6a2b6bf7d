"""The thread that looks at the machine while a run lasts."""

from __future__ import annotations

import logging
import threading
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING

from dovetail.errors import DovetailError, NotFound, RunEnded
from dovetail.tracking import places
from dovetail.values import Batch, Metric
from dovetail_system_metrics.gpus import gpu_probes
from dovetail_system_metrics.probes import machine_probes

if TYPE_CHECKING:
    from dovetail.tracking.system_metrics import Sampling
    from dovetail.values import Run
    from dovetail_system_metrics.probes import Probe

__all__ = ["Sampler"]

_log = logging.getLogger(__name__)

FIRST_LOOK = 0.1
"""Seconds until the first look: how busy a processor is shows over a while only."""
LONGEST_LOOK = 2.0
"""Seconds that the end of a run waits for a look that is under way."""


class Sampler:
    """Looks at the machine at a steady pace, from when it is made until it is stopped, and logs what it saw.

    Nothing that goes wrong here reaches the training script: it is said once, and the next look is taken.

    Args:
        run: The run; one that was taken up again goes on with the steps where it was.
        uri: Where it is tracked.
        sampling: How often, how many looks to a point, under which names.
    """

    def __init__(self, run: Run, uri: str, sampling: Sampling) -> None:
        self._run_id, self._uri, self._sampling = run.info.run_id, uri, sampling
        self._step = _next_step(run, sampling.prefix)
        self._looks: list[dict[str, float]] = []
        self._said: set[str] = set()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="dovetail-system-metrics", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End with the run; looks that are too few for a point are dropped."""
        self._stopped.set()
        if self._thread is not threading.current_thread():
            self._thread.join(LONGEST_LOOK)

    # --- steps -----------------------------------------------------------------------------------------------

    def _watch(self) -> None:
        try:
            with ExitStack() as opened:
                self._go_on({**machine_probes(), **gpu_probes(opened)})
        except Exception as error:  # noqa: BLE001 - training must not hear of it by a traceback of a thread
            self._say_once("The machine is not looked at any longer", error)

    def _go_on(self, probes: dict[str, Probe]) -> None:
        due = time.monotonic() + min(FIRST_LOOK, self._sampling.interval)
        while not self._stopped.wait(max(0.0, due - time.monotonic())):
            self._looks.append(self._look(probes))
            if len(self._looks) >= self._sampling.samples:
                self._record()
            # A machine that slept does not catch up on the looks it missed.
            due = max(due + self._sampling.interval, time.monotonic())

    def _look(self, probes: dict[str, Probe]) -> dict[str, float]:
        seen: dict[str, float] = {}
        for name, probe in probes.items():
            seen.update(self._seen_by(name, probe))
        return seen

    def _seen_by(self, name: str, probe: Probe) -> dict[str, float]:
        try:
            return probe()
        except Exception as error:  # noqa: BLE001 - drivers and virtual machines fail in many ways
            self._say_once(f"The {name} cannot be looked at", error)
            return {}

    def _record(self) -> None:
        means = _means(self._looks)
        self._looks.clear()
        now = time.time_ns() // 1_000_000
        try:
            points = tuple(
                Metric(f"{self._sampling.prefix}{key}", each, now, self._step) for key, each in means.items()
            )
            places.recorder(self._uri).record(self._run_id, Batch(points))
            self._step += 1
        except (RunEnded, NotFound):
            self._stopped.set()  # somebody else ended or deleted it
        except DovetailError as error:
            self._say_once("Metrics of the machine cannot be logged", error)

    def _say_once(self, what: str, error: Exception) -> None:
        if what not in self._said:
            self._said.add(what)
            _log.warning("%s: %s: %s (Said once a run.)", what, type(error).__name__, error)


def _means(looks: list[dict[str, float]]) -> dict[str, float]:
    """The mean of each key over the looks that saw it."""
    seen: dict[str, list[float]] = {}
    for look in looks:
        for key, value in look.items():
            seen.setdefault(key, []).append(value)
    return {key: sum(values) / len(values) for key, values in seen.items()}


def _next_step(run: Run, prefix: str) -> int:
    """One behind the last step of this machine; another machine's names go on behind a slash."""
    mine = (point for point in run.data.latest if point.key.startswith(prefix))
    return max((point.step + 1 for point in mine if "/" not in point.key[len(prefix) :]), default=0)
