"""``RunStatus`` by the longer path."""

from dovetail.entities import RunStatus

__all__ = ["RunStatus"]
