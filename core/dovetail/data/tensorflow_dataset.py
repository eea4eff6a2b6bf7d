"""Tensors and pipelines of TensorFlow, by the longer path."""

from dovetail.datasets.tensorflow_dataset import TensorFlowDataset, from_tensorflow

__all__ = ["TensorFlowDataset", "from_tensorflow"]
