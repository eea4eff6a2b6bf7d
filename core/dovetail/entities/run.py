"""``Run`` by the longer path."""

from dovetail.entities import Run

__all__ = ["Run"]
