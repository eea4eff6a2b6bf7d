"""What every dataset has, by the longer path."""

from dovetail.datasets.dataset import Dataset

__all__ = ["Dataset"]
