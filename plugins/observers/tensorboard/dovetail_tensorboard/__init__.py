"""What runs log, mirrored into a TensorBoard log directory while they last."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from dovetail import hookimpl
from dovetail.values import Event
from dovetail_tensorboard.mirror import Mirror

if TYPE_CHECKING:
    from dovetail.values import Run

__all__ = ["dovetail_event", "dovetail_run_ended", "dovetail_run_started"]

_mirror = Mirror()


@hookimpl
def dovetail_run_started(run: Run) -> None:
    """Open a log for the run, if a directory for logs is named."""
    if folder := os.environ.get("DOVETAIL_TENSORBOARD_DIR"):
        _mirror.open(run, folder)


@hookimpl
def dovetail_event(event: Event) -> None:
    """Write what a run logged into its log."""
    if event.kind == Event.LOGGED:
        _mirror.write(event.run_id, event.batch)


@hookimpl
def dovetail_run_ended(run: Run) -> None:
    """Close the run's log."""
    _mirror.close(run)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_mirror.hold, after_in_parent=_mirror.go_on, after_in_child=_mirror.begin_anew)
