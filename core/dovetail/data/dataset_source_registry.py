"""Who answers for a source, by the longer path."""

from dovetail.datasets.sources import (
    get_dataset_source_from_json,
    get_registered_sources,
    get_source,
    resolve_dataset_source,
)

__all__ = ["get_dataset_source_from_json", "get_registered_sources", "get_source", "resolve_dataset_source"]
