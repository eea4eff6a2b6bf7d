"""``Param`` by the longer path."""

from dovetail.entities import Param

__all__ = ["Param"]
