"""Tables of Delta Lake, by the longer path."""

from dovetail.datasets.delta_source import DeltaDatasetSource

__all__ = ["DeltaDatasetSource"]
