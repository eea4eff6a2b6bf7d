"""Datasets as inputs of runs."""

from dovetail.values.dataset import Dataset, DatasetInput, InputTag

__all__ = ["Dataset", "DatasetInput", "InputTag"]
