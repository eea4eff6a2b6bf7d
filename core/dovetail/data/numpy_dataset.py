"""Arrays of numpy, by the longer path."""

from dovetail.datasets.numpy_dataset import NumpyDataset, from_numpy

__all__ = ["NumpyDataset", "from_numpy"]
