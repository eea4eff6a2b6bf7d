"""``DatasetInput`` by the longer path."""

from dovetail.entities import DatasetInput

__all__ = ["DatasetInput"]
