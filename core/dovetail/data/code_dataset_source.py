"""Data of which only the code is known, by the longer path."""

from dovetail.datasets.code_source import CodeDatasetSource

__all__ = ["CodeDatasetSource"]
