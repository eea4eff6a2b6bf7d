"""``LoggedModelStatus`` by the longer path."""

from dovetail.entities import LoggedModelStatus

__all__ = ["LoggedModelStatus"]
