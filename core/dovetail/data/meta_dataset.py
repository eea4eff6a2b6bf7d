"""Data of which only the description is at hand, by the longer path."""

from dovetail.datasets.meta_dataset import MetaDataset

__all__ = ["MetaDataset"]
