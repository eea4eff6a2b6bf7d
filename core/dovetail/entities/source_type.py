"""``SourceType`` by the longer path."""

from dovetail.entities import SourceType

__all__ = ["SourceType"]
