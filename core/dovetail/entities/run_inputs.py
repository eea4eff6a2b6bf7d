"""``RunInputs`` by the longer path."""

from dovetail.entities import RunInputs

__all__ = ["RunInputs"]
