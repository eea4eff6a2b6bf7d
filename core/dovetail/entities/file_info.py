"""``FileInfo`` by the longer path."""

from dovetail.entities import FileInfo

__all__ = ["FileInfo"]
