"""``LoggedModelParameter`` by the longer path."""

from dovetail.entities import LoggedModelParameter

__all__ = ["LoggedModelParameter"]
