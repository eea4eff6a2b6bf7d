"""Tables of pandas, by the longer path."""

from dovetail.datasets.pandas_dataset import PandasDataset, from_pandas

__all__ = ["PandasDataset", "from_pandas"]
