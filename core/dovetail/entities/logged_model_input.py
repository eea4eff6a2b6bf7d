"""``LoggedModelInput`` by the longer path."""

from dovetail.entities import LoggedModelInput

__all__ = ["LoggedModelInput"]
