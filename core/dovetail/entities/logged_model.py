"""``LoggedModel`` by the longer path."""

from dovetail.entities import LoggedModel

__all__ = ["LoggedModel"]
