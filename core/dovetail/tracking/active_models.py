"""Which logged model the metrics of a thread are about, unless they say so themselves."""

from __future__ import annotations

import threading

__all__ = ["active_model_id", "make_active"]


class _Own(threading.local):
    # Of the class, so that a thread without an active model finds it fast: every metric asks.
    model_id: str | None = None


_own = _Own()
_made = False  # whether a thread of this process ever made one active: most never do, and every metric asks


def active_model_id() -> str | None:
    """The id of the active model of this thread, or None."""
    return _own.model_id if _made else None


def make_active(model_id: str | None) -> None:
    """Make a model the active one of this thread; None for none."""
    global _made
    _own.model_id, _made = model_id, True
