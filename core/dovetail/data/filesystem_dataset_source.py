"""Data in files, by the longer path."""

from dovetail.datasets.file_source import FileSystemDatasetSource

__all__ = ["FileSystemDatasetSource"]
