"""``ViewType`` by the longer path."""

from dovetail.entities import ViewType

__all__ = ["ViewType"]
