"""``RunInfo`` by the longer path."""

from dovetail.entities import RunInfo

__all__ = ["RunInfo"]
