"""``Dataset`` by the longer path."""

from dovetail.entities import Dataset

__all__ = ["Dataset"]
