"""``LoggedModelOutput`` by the longer path."""

from dovetail.entities import LoggedModelOutput

__all__ = ["LoggedModelOutput"]
