"""``RunTag`` by the longer path."""

from dovetail.entities import RunTag

__all__ = ["RunTag"]
