"""dovetail's own sources together."""

from dovetail.datasets.code_source import CodeDatasetSource
from dovetail.datasets.file_source import FileSystemDatasetSource
from dovetail.datasets.http_source import HTTPDatasetSource
from dovetail.datasets.huggingface_source import HuggingFaceDatasetSource

__all__ = ["CodeDatasetSource", "FileSystemDatasetSource", "HTTPDatasetSource", "HuggingFaceDatasetSource"]
