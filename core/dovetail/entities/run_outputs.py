"""``RunOutputs`` by the longer path."""

from dovetail.entities import RunOutputs

__all__ = ["RunOutputs"]
