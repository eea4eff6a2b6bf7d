"""dovetail's own sources together."""

from dovetail.datasets.code_source import CodeDatasetSource
from dovetail.datasets.delta_source import DeltaDatasetSource
from dovetail.datasets.file_source import FileSystemDatasetSource
from dovetail.datasets.http_source import HTTPDatasetSource
from dovetail.datasets.huggingface_source import HuggingFaceDatasetSource
from dovetail.datasets.spark_source import SparkDatasetSource

__all__ = [
    "CodeDatasetSource",
    "DeltaDatasetSource",
    "FileSystemDatasetSource",
    "HTTPDatasetSource",
    "HuggingFaceDatasetSource",
    "SparkDatasetSource",
]
