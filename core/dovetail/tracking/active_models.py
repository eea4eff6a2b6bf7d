"""Which logged model the metrics of a thread are about, unless they say so themselves."""

from __future__ import annotations

import threading

__all__ = ["active_model_id", "make_active"]


class _Own(threading.local):
    # Of the class, so that a thread without an active model finds it fast: every metric asks.
    model_id: str | None = None


_own = _Own()


def active_model_id() -> str | None:
    """The id of the active model of this thread, or None."""
    return _own.model_id


def make_active(model_id: str | None) -> None:
    """Make a model the active one of this thread; None for none."""
    _own.model_id = model_id
