"""The schema of data that is arrays, by the longer path."""

from dovetail.datasets.tensor_schema import TensorDatasetSchema

__all__ = ["TensorDatasetSchema"]
