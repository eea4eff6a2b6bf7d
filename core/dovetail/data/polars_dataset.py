"""Tables of polars, by the longer path."""

from dovetail.datasets.polars_dataset import PolarsDataset, from_polars

__all__ = ["PolarsDataset", "from_polars"]
