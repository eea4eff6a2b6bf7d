"""Data that Hugging Face's library loads, by the longer path."""

from dovetail.datasets.huggingface_source import HuggingFaceDatasetSource

__all__ = ["HuggingFaceDatasetSource"]
