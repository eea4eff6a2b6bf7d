"""What every source has, by the longer path."""

from dovetail.datasets.source import DatasetSource

__all__ = ["DatasetSource"]
