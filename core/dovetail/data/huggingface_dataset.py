"""Tables of Hugging Face, by the longer path."""

from dovetail.datasets.huggingface_dataset import HuggingFaceDataset, from_huggingface

__all__ = ["HuggingFaceDataset", "from_huggingface"]
