"""Tables of Hugging Face's ``datasets`` as datasets."""

from __future__ import annotations

from functools import cached_property
from importlib import import_module
from typing import TYPE_CHECKING, Any

from dovetail.datasets.dataset import inferred
from dovetail.datasets.digest import digest_of_columns
from dovetail.datasets.huggingface_source import HuggingFaceDatasetSource
from dovetail.datasets.sources import source_for
from dovetail.datasets.table_dataset import TableDataset
from dovetail.errors import InvalidInput

if TYPE_CHECKING:
    import os

    from dovetail.datasets.digest import Content
    from dovetail.datasets.source import DatasetSource
    from dovetail.models.schema import Schema

__all__ = ["HuggingFaceDataset", "from_huggingface"]

_LOOKED_AT = 10_000  # rows that types are told from


class HuggingFaceDataset(TableDataset):
    """A table of ``datasets``, in memory or on disk.

    Args:
        ds: The table, a ``datasets.Dataset``.
        source: Where it came from.
        targets: The column to predict.
        name: What people call it; by default ``dataset``.
        digest: By default made from all cells, names and types.

    Raises:
        InvalidInput: No such table, no such column, or cells whose content cannot be told.
    """

    def __init__(
        self,
        ds: Any,
        source: DatasetSource,
        targets: str | None = None,
        name: str | None = None,
        digest: str | None = None,
    ) -> None:
        if not _is_table(ds):
            raise InvalidInput(
                f"A {type(ds).__name__} is no datasets.Dataset.", hint="Choose one split; a stream must be read first."
            )
        self._ds = ds
        super().__init__(ds.column_names, source, targets=targets, name=name, digest=digest)

    def _compute_digest(self) -> str:
        columns = [self._ds.select_columns([name]).with_format("arrow") for name in self._ds.column_names]
        return digest_of_columns("hugging face table", columns, self._ds.num_rows, _heading, _block)

    @property
    def ds(self) -> Any:
        """The table."""
        return self._ds

    @property
    def profile(self) -> dict[str, Any]:
        """How many rows there are, and the sizes in bytes as far as the library knows them."""
        return {
            "num_rows": self._ds.num_rows,
            "dataset_size": self._ds.dataset_size,
            "size_in_bytes": self._ds.size_in_bytes,
        }

    @cached_property
    def schema(self) -> Schema | None:
        """The columns with their types, told from the first 10 000 rows; None for a table without columns."""
        first = self._ds.with_format(None).select(range(min(_LOOKED_AT, self._ds.num_rows))).to_pandas()
        return inferred(first) if len(first.columns) else None


def from_huggingface(
    ds: Any,
    path: str | None = None,
    targets: str | None = None,
    data_dir: str | None = None,
    data_files: Any = None,
    revision: Any = None,
    name: str | None = None,
    digest: str | None = None,
    trust_remote_code: bool | None = None,
    source: str | os.PathLike[str] | DatasetSource | None = None,
) -> HuggingFaceDataset:
    """A table of Hugging Face's ``datasets`` as a dataset.

    Args:
        ds: The table, a ``datasets.Dataset``.
        path: What ``datasets.load_dataset`` was called with to get it; it becomes the source.
        targets: The column to predict.
        data_dir: As ``path``, and only with it.
        data_files: As ``path``, and only with it.
        revision: As ``path``, and only with it.
        name: What people call it; by default ``dataset``.
        digest: What tells it from other data of that name; by default made from all its cells, names and types.
        trust_remote_code: As ``path``, and only with it.
        source: Where it came from, if it was not loaded by ``path``; by default the code that is running.

    Raises:
        InvalidInput: No such table, no such column, both ``path`` and ``source``, or a source that is not known.
    """
    details = {
        "data_dir": data_dir,
        "data_files": data_files,
        "revision": revision,
        "trust_remote_code": trust_remote_code,
    }
    if path is None or source is not None:
        lost = [key for key, value in {"path": path, **details}.items() if value is not None]
        if lost:
            raise InvalidInput(f"{', '.join(lost)} would be lost.", hint="Give either `path` with these, or `source`.")
        return HuggingFaceDataset(ds, source_for(source), targets, name, digest)
    if not _is_table(ds):
        raise InvalidInput(f"A {type(ds).__name__} is no datasets.Dataset.", hint="Choose one split.")
    config, split = ds.info.config_name, ds.split
    return HuggingFaceDataset(
        ds, HuggingFaceDatasetSource(path, config_name=config, split=split, **details), targets, name, digest
    )


def _is_table(value: object) -> bool:
    kinds = type(value).__mro__
    return any(kind.__name__ == "Dataset" and kind.__module__.partition(".")[0] == "datasets" for kind in kinds)


def _heading(column: Any) -> Any:
    (name, feature), *_ = column.features.items()
    return [name, str(feature)]


def _block(content: Content, column: Any, start: int, stop: int) -> None:
    pa = import_module("pyarrow")
    values = column[start:stop].column(0)
    numeric = (pa.types.is_integer, pa.types.is_floating, pa.types.is_boolean)
    if any(fits(values.type) for fits in numeric):
        content.numbers(values.is_null().to_numpy())
        content.numbers(values.fill_null(pa.scalar(0).cast(values.type)).to_numpy())
    else:
        content.cells(values.to_pylist())
