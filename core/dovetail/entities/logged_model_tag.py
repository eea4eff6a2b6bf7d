"""``LoggedModelTag`` by the longer path."""

from dovetail.entities import LoggedModelTag

__all__ = ["LoggedModelTag"]
