"""Datasets: data that runs use, and the sources it is fetched from, where MLflow's scripts look for them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dovetail import lazy
from dovetail.values import DatasetInput, InputTag

if TYPE_CHECKING:
    from dovetail.datasets.dataset import Dataset
    from dovetail.datasets.huggingface_dataset import from_huggingface
    from dovetail.datasets.numpy_dataset import from_numpy
    from dovetail.datasets.pandas_dataset import from_pandas
    from dovetail.datasets.polars_dataset import from_polars
    from dovetail.datasets.source import DatasetSource
    from dovetail.datasets.sources import get_dataset_source_from_json, get_registered_sources, get_source
    from dovetail.datasets.spark_dataset import from_spark, load_delta
    from dovetail.datasets.tensorflow_dataset import from_tensorflow

_HOMES = {
    "Dataset": "dataset",
    "DatasetSource": "dataset_source",
    "from_huggingface": "huggingface_dataset",
    "from_numpy": "numpy_dataset",
    "from_pandas": "pandas_dataset",
    "from_polars": "polars_dataset",
    "from_spark": "spark_dataset",
    "from_tensorflow": "tensorflow_dataset",
    "get_dataset_source_from_json": "dataset_source_registry",
    "get_registered_sources": "dataset_source_registry",
    "get_source": "dataset_source_registry",
    "load_delta": "spark_dataset",
}

__all__ = [
    "Dataset",
    "DatasetInput",
    "DatasetSource",
    "InputTag",
    "from_huggingface",
    "from_numpy",
    "from_pandas",
    "from_polars",
    "from_spark",
    "from_tensorflow",
    "get_dataset_source_from_json",
    "get_registered_sources",
    "get_source",
    "load_delta",
]

if not TYPE_CHECKING:
    __getattr__, __dir__ = lazy.attributes(__name__, _HOMES), lazy.names(__name__, _HOMES)
