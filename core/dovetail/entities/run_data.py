"""``RunData`` by the longer path."""

from dovetail.entities import RunData

__all__ = ["RunData"]
