"""Data behind a web address, by the longer path."""

from dovetail.datasets.http_source import HTTPDatasetSource

__all__ = ["HTTPDatasetSource"]
