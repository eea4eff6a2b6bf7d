"""News of what was stored, as plugins get it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from dovetail.values.batch import Batch
from dovetail.values.value import Value

__all__ = ["Event"]


@dataclass(frozen=True, repr=False)
class Event(Value):
    """Something that happened in a store.

    Args:
        kind: What happened. Today it is always ``Event.LOGGED``; who listens passes over kinds it does not know.
        run_id: The run it happened to.
        uri: Where the run is tracked, without passwords.
        batch: The metrics, params and tags that were stored; ``batch.points()`` gives all its points.
    """

    LOGGED: ClassVar[str] = "logged"

    kind: str
    run_id: str
    uri: str
    batch: Batch = field(default_factory=Batch)
