"""``Metric`` by the longer path."""

from dovetail.entities import Metric

__all__ = ["Metric"]
