"""Tables of polars as datasets."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

from dovetail.datasets.digest import digest_of_columns
from dovetail.datasets.sources import source_for
from dovetail.datasets.table_dataset import TableDataset
from dovetail.errors import InvalidInput
from dovetail.models.datatypes import AnyType, Array, DataType, Object, Property
from dovetail.models.schema import ColSpec, Schema

if TYPE_CHECKING:
    import os

    import polars as pl

    from dovetail.datasets.digest import Content
    from dovetail.datasets.source import DatasetSource
    from dovetail.models.datatypes import ColumnType

__all__ = ["PolarsDataset", "from_polars"]

_TYPES = {
    "Boolean": DataType.boolean, "Int8": DataType.integer, "Int16": DataType.integer, "Int32": DataType.integer,
    "UInt8": DataType.integer, "UInt16": DataType.integer, "Int64": DataType.long, "UInt32": DataType.long,
    "Float32": DataType.float, "Float64": DataType.double, "String": DataType.string, "Categorical": DataType.string,
    "Enum": DataType.string, "Binary": DataType.binary, "Date": DataType.datetime, "Datetime": DataType.datetime,
}  # fmt: skip
_NUMBERS = {"Boolean", "Int8", "Int16", "Int32", "Int64", "UInt8", "UInt16", "UInt32", "UInt64", "Float32", "Float64"}
_TIMES = {"Date", "Datetime", "Duration", "Time"}  # kept as integers


class PolarsDataset(TableDataset):
    """A table of polars.

    Args:
        df: The table; it is kept, not copied. The digest is made now.
        source: Where it came from.
        targets: The column to predict.
        name: What people call it; by default ``dataset``.
        digest: By default made from all cells, names and types.
        predictions: The column with what a model predicted.

    Raises:
        InvalidInput: No table, no such columns, or cells whose content cannot be told.
    """

    def __init__(
        self,
        df: pl.DataFrame,
        source: DatasetSource,
        targets: str | None = None,
        name: str | None = None,
        digest: str | None = None,
        predictions: str | None = None,
    ) -> None:
        if not _is_table(df):
            raise InvalidInput(f"A {type(df).__name__} is no polars DataFrame.", hint="Collect a LazyFrame first.")
        self._df = df
        super().__init__(df.columns, source, targets=targets, predictions=predictions, name=name, digest=digest)

    def _compute_digest(self) -> str:
        return digest_of_columns("polars table", self._df.get_columns(), self._df.height, _heading, _block)

    @property
    def df(self) -> pl.DataFrame:
        """The table."""
        return self._df

    @property
    def profile(self) -> dict[str, Any]:
        """How many rows and cells there are."""
        return {"num_rows": self._df.height, "num_elements": self._df.height * self._df.width}

    @cached_property
    def schema(self) -> Schema | None:
        """The columns with their types, required where no value is missing; None for a table without columns."""
        columns = [
            ColSpec(_column_type(column.dtype), column.name, required=not column.null_count())
            for column in self._df.get_columns()
        ]
        return Schema(columns) if columns else None


def from_polars(
    df: pl.DataFrame,
    source: str | os.PathLike[str] | DatasetSource | None = None,
    targets: str | None = None,
    name: str | None = None,
    digest: str | None = None,
    predictions: str | None = None,
) -> PolarsDataset:
    """A table of polars as a dataset.

    Args:
        df: The table.
        source: Where it came from: a path, a URI, or a source; by default the code that is running.
        targets: The column to predict.
        name: What people call it; by default ``dataset``.
        digest: What tells it from other data of that name; by default made from all its cells, names and types.
        predictions: The column with what a model predicted.

    Raises:
        InvalidInput: No table, no such columns, no source that is known, or cells whose content cannot be told.
    """
    return PolarsDataset(df, source_for(source), targets, name, digest, predictions)


def _is_table(value: object) -> bool:
    kinds = type(value).__mro__
    return any(kind.__name__ == "DataFrame" and kind.__module__.partition(".")[0] == "polars" for kind in kinds)


def _heading(column: pl.Series) -> Any:
    return [column.name, str(column.dtype)]


def _block(content: Content, column: pl.Series, start: int, stop: int) -> None:
    block = column.slice(start, stop - start)
    kind = block.dtype.base_type().__name__
    if kind not in _NUMBERS and kind not in _TIMES:
        content.cells(block.to_list())
        return
    numbers = block.to_physical() if kind in _TIMES else block
    if numbers.null_count():
        content.numbers(numbers.is_null().to_numpy())
        numbers = numbers.fill_null(value=False if kind == "Boolean" else 0)
    else:
        content.word("no nulls")
    content.numbers(numbers.to_numpy())


def _column_type(dtype: Any) -> ColumnType:
    kind = dtype.base_type().__name__
    if kind in ("List", "Array"):
        return Array(_column_type(dtype.inner))
    if kind == "Struct" and dtype.fields:
        return Object(Property(field.name, _column_type(field.dtype)) for field in dtype.fields)
    return _TYPES.get(kind, AnyType())
