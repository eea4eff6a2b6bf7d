"""Metrics of the machine, logged by a thread of its own while a run lasts."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING

from dovetail import hookimpl
from dovetail.tracking import places, system_metrics

if TYPE_CHECKING:
    from dovetail.values import Run
    from dovetail_system_metrics.sampler import Sampler

__all__ = ["dovetail_run_ended", "dovetail_run_started"]

_lock = threading.Lock()
_samplers: dict[str, Sampler] = {}
_sampled_by_parents: set[str] = set()


@hookimpl
def dovetail_run_started(run: Run) -> None:
    """Begin to look at the machine, if that was asked for and nobody does so for this run."""
    sampling = system_metrics.take(run.info.run_id)
    if sampling is None:
        return
    from dovetail_system_metrics.sampler import Sampler

    with _lock:
        if run.info.run_id not in _samplers.keys() | _sampled_by_parents:
            _samplers[run.info.run_id] = Sampler(run, places.get_tracking_uri(), sampling)


@hookimpl
def dovetail_run_ended(run: Run) -> None:
    """Look no longer."""
    with _lock:
        sampler = _samplers.pop(run.info.run_id, None)
    if sampler is not None:
        sampler.stop()


def _begin_anew_after_fork() -> None:
    """The threads are the parent's, which goes on looking at the machine that both run on."""
    global _lock  # noqa: PLW0603 - another thread may have held it when the process forked
    _lock = threading.Lock()
    _sampled_by_parents.update(_samplers)
    _samplers.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_begin_anew_after_fork)
