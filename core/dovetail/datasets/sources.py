"""From what people give as a source, and from what is stored of one, to the source itself.

What is stored names a type, never code: the type is a key that dovetail itself or an installed plugin answers for.
"""

from __future__ import annotations

import warnings
from importlib import import_module
from typing import TYPE_CHECKING, Any

from dovetail import plugins, uris
from dovetail.datasets.file_source import LOCAL, FileSystemDatasetSource, is_claimed
from dovetail.datasets.source import DatasetSource
from dovetail.documents import shown
from dovetail.errors import InvalidInput, PluginBroken, PluginError, PluginMissing
from dovetail.values import Dataset, DatasetInput

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = [
    "get_dataset_source_from_json",
    "get_registered_sources",
    "get_source",
    "resolve_dataset_source",
    "source_class",
    "source_for",
]

KIND = "dataset_sources"
# Type -> module and class, asked in this order whether something is theirs; imported when they are.
_BUILT_IN = {
    "http": ("dovetail.datasets.http_source", "HTTPDatasetSource"),
    LOCAL: ("dovetail.datasets.file_source", "FileSystemDatasetSource"),
    "hugging_face": ("dovetail.datasets.huggingface_source", "HuggingFaceDatasetSource"),
    "spark": ("dovetail.datasets.spark_source", "SparkDatasetSource"),
    "delta_table": ("dovetail.datasets.delta_source", "DeltaDatasetSource"),
    "code": ("dovetail.datasets.code_source", "CodeDatasetSource"),
}


def source_for(given: Any) -> DatasetSource:
    """The source that somebody gives for a dataset: a source, a location, or None for the code that is running.

    Raises:
        InvalidInput: No source knows what it is.
    """
    if given is None:
        from dovetail.datasets.code_source import CodeDatasetSource

        return CodeDatasetSource.here()
    return given if isinstance(given, DatasetSource) else resolve_dataset_source(given)


def resolve_dataset_source(
    raw_source: Any, candidate_sources: Sequence[type[DatasetSource]] | None = None
) -> DatasetSource:
    """The source that a path, a URI or an object names.

    dovetail's own sources are asked first, then those of installed plugins, then the artifact store that takes what
    nobody else claims.

    Args:
        raw_source: What names the data.
        candidate_sources: The only classes to ask; by default all.

    Raises:
        InvalidInput: No source knows what it is.
    """
    for kind in _classes() if candidate_sources is None else candidate_sources:
        if kind.can_resolve(raw_source):
            return kind.resolve(raw_source)
    last = FileSystemDatasetSource.opened(raw_source) if candidate_sources is None else None
    if last is not None:
        return last
    raise InvalidInput(
        f"No dataset source knows what {uris.masked(shown(raw_source))} is.",
        hint="Give a path, a URI, or a DatasetSource. `dovetail plugins list` shows whose sources are installed.",
    )


def get_source(dataset: Any) -> DatasetSource:
    """The source of a dataset, whose ``load`` fetches the data again.

    Args:
        dataset: A dataset, as it was made or as it came out of a store, or the input of a run.

    Raises:
        InvalidInput: It is no dataset, or what is stored of its source is not right.
        PluginMissing: No installed plugin answers for the type of its source.
    """
    from dovetail.datasets.dataset import Dataset as RichDataset

    if isinstance(dataset, RichDataset):
        return dataset.source
    stored = dataset.dataset if isinstance(dataset, DatasetInput) else dataset
    if isinstance(stored, Dataset):
        return get_dataset_source_from_json(stored.source, stored.source_type)
    raise InvalidInput(
        f"A {type(dataset).__name__} is no dataset.", hint="Give a dataset, or one of a run's `inputs.dataset_inputs`."
    )


def get_dataset_source_from_json(source_json: str, source_type: str) -> DatasetSource:
    """The source that a store keeps as a type and a text.

    Args:
        source_json: The text.
        source_type: The type.

    Raises:
        InvalidInput: The text describes no source of this type.
        PluginMissing: No installed plugin answers for the type.
    """
    kind = source_class(source_type)
    source = kind.from_json(source_json)
    if source.source_type != source_type:
        # Else the store would choose what is asked for the data: a file of this machine in the name of a bucket.
        raise InvalidInput(f"What is stored as a source of type {source_type!r} is one of type {source.source_type!r}.")
    return source


def get_registered_sources() -> list[type[DatasetSource]]:
    """The classes of all sources: dovetail's own, and those of installed plugins."""
    return list(_classes())


def source_class(source_type: str) -> type[DatasetSource]:
    """The class that answers for a type.

    Raises:
        PluginMissing: There is none.
    """
    if source_type in _BUILT_IN:
        return _built_in(source_type)
    if isinstance(source_type, str) and is_claimed(source_type):
        return FileSystemDatasetSource
    try:
        return _plugged_in(source_type)
    except PluginMissing:
        if _is_open_scheme(source_type):
            return FileSystemDatasetSource
        raise


def _is_open_scheme(source_type: str) -> bool:
    """Whether the artifact store that takes what nobody claims opens such locations."""
    location = f"{source_type}://host/file"
    return uris.scheme_of(location) == source_type and FileSystemDatasetSource.opened(location) is not None


def _classes() -> Iterator[type[DatasetSource]]:
    for source_type in _BUILT_IN:
        yield _built_in(source_type)
    for source_type in plugins.offers(KIND):
        try:
            yield _plugged_in(source_type)
        except PluginError as error:  # noqa: PERF203 - a broken plugin hurts nobody else
            warnings.warn(f"The dataset source {source_type!r} was not asked: {error.message}", stacklevel=4)


def _built_in(source_type: str) -> type[DatasetSource]:
    module, name = _BUILT_IN[source_type]
    kind: type[DatasetSource] = getattr(import_module(module), name)
    return kind


def _plugged_in(source_type: str) -> type[DatasetSource]:
    kind = plugins.find(KIND, source_type)
    if isinstance(kind, type) and issubclass(kind, DatasetSource):
        return kind
    raise PluginBroken(
        f"The plugin of the dataset source {source_type!r} hands out {shown(kind)}, which is no class of sources.",
        hint="Report this to the plugin's authors: it must be a subclass of DatasetSource.",
    )
