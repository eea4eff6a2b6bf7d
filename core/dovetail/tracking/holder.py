"""This process, as stores know who sees to a run."""

from __future__ import annotations

import os
import threading
from functools import lru_cache

from dovetail import settings
from dovetail.values import Lease

__all__ = ["LONGEST", "holder_id", "own_lease"]

LONGEST = 3600.0
"""Seconds between signs of life at most, whatever the setting says."""
_HOLDS = 6
"""For how many intervals a sign of life holds: some may be late, or find the store away."""

_id = ""
_lock = threading.RLock()


def holder_id() -> str:
    """The id of this process; a forked child has one of its own."""
    global _id  # noqa: PLW0603 - made when it is first asked for
    if not _id:
        with _lock:
            _id = _id or os.urandom(16).hex()
    return _id


def own_lease() -> Lease | None:
    """What this process says when it sees to a run; None where the setting ``heartbeat_interval`` is 0."""
    interval = min(settings.get("heartbeat_interval"), LONGEST)
    return _lease(holder_id(), interval) if interval > 0 else None


@lru_cache(maxsize=2)
def _lease(holder: str, interval: float) -> Lease:
    return Lease(holder, _HOLDS * interval)


def _forget() -> None:
    global _id, _lock
    _id, _lock = "", threading.RLock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)
