"""Tables of Spark as datasets, and tables of Delta Lake."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

from dovetail.datasets import delta_table
from dovetail.datasets.delta_source import DeltaDatasetSource
from dovetail.datasets.pandas_dataset import PandasDataset
from dovetail.datasets.sources import source_for
from dovetail.datasets.spark_digest import digest_and_rows
from dovetail.datasets.spark_source import SparkDatasetSource
from dovetail.datasets.table_dataset import TableDataset
from dovetail.errors import InvalidInput
from dovetail.models.datatypes import AnyType, Array, DataType, Map, Object, Property, SparkMLVector
from dovetail.models.recognition import is_frame
from dovetail.models.schema import ColSpec, Schema

if TYPE_CHECKING:
    import os

    from dovetail.datasets.source import DatasetSource
    from dovetail.models.datatypes import ColumnType

__all__ = ["SparkDataset", "from_spark", "load_delta"]

_TYPES: dict[str, ColumnType] = {
    "BooleanType": DataType.boolean, "ByteType": DataType.integer, "ShortType": DataType.integer,
    "IntegerType": DataType.integer, "LongType": DataType.long, "FloatType": DataType.float,
    "DoubleType": DataType.double, "StringType": DataType.string, "CharType": DataType.string,
    "VarcharType": DataType.string, "BinaryType": DataType.binary, "DateType": DataType.datetime,
    "TimestampType": DataType.datetime, "TimestampNTZType": DataType.datetime, "VectorUDT": SparkMLVector(),
}  # fmt: skip


class SparkDataset(TableDataset):
    """A table of Spark.

    Args:
        df: The table. The digest is made now, by a job that reads all of it.
        source: Where it came from.
        targets: The column to predict.
        name: What people call it; by default ``dataset``.
        digest: By default made from all cells, names and types, in whichever order the rows are.
        predictions: The column with what a model predicted.

    Raises:
        InvalidInput: No table, a stream, no such columns, or cells whose content cannot be told.
    """

    def __init__(
        self,
        df: Any,
        source: DatasetSource,
        targets: str | None = None,
        name: str | None = None,
        digest: str | None = None,
        predictions: str | None = None,
    ) -> None:
        _check(df)
        self._df = df
        self._counted: int | None = None
        super().__init__(df.columns, source, targets=targets, predictions=predictions, name=name, digest=digest)

    def _compute_digest(self) -> str:
        digest, self._counted = digest_and_rows(self._df)
        return digest

    @property
    def df(self) -> Any:
        """The table."""
        return self._df

    @property
    def profile(self) -> dict[str, Any]:
        """How many rows there are; they are counted now where the digest was given."""
        if self._counted is None:
            self._counted = int(self._df.count())
        return {"approx_count": self._counted}

    @cached_property
    def schema(self) -> Schema | None:
        """The columns with their types, required where Spark lets nothing be missing; None for a table without any."""
        columns = [
            ColSpec(_column_type(field.dataType), field.name, required=not field.nullable)
            for field in self._df.schema.fields
        ]
        return Schema(columns) if columns else None


def from_spark(
    df: Any,
    path: str | os.PathLike[str] | None = None,
    table_name: str | None = None,
    version: str | int | None = None,
    sql: str | None = None,
    targets: str | None = None,
    name: str | None = None,
    digest: str | None = None,
    predictions: str | None = None,
) -> SparkDataset:
    """A table of Spark as a dataset.

    Where it came from is told by one of ``path``, ``table_name`` and ``sql``; by default it is the code that is
    running. Spark is asked whether path or name is one of Delta Lake.

    Args:
        df: The table.
        path: The path or URI it was read from.
        table_name: The name it was read by.
        version: The version of the table, if it is one of Delta Lake.
        sql: The query it is the result of.
        targets: The column to predict.
        name: What people call it; by default ``dataset``.
        digest: What tells it from other data of that name; by default made from all its cells, names and types, which
            takes a job over all of the table.
        predictions: The column with what a model predicted.

    Raises:
        InvalidInput: No table, a stream, no such columns, several origins, a version of what has none, or cells whose
            content cannot be told.
        StoreError: Spark cannot say whether it is a table of Delta.
    """
    _check(df)
    given = [key for key, value in {"path": path, "table_name": table_name, "sql": sql}.items() if value is not None]
    if len(given) > 1:
        raise InvalidInput(f"Several origins are given: {' and '.join(given)}.", hint="Give one of them.")
    if version is not None and given not in (["path"], ["table_name"]):
        raise InvalidInput("A version is one of a table: it goes with `path` or `table_name`.")
    source = _source(df.sparkSession, path, table_name, version, sql) if given else source_for(None)
    return SparkDataset(df, source, targets, name, digest, predictions)


def load_delta(
    path: str | os.PathLike[str] | None = None,
    table_name: str | None = None,
    version: str | int | None = None,
    targets: str | None = None,
    name: str | None = None,
    digest: str | None = None,
) -> SparkDataset | PandasDataset:
    """A table of Delta Lake as a dataset.

    Spark reads it where this process has a session; otherwise the library deltalake does, as a table of pandas. A path
    is kept with the version that was read.

    Args:
        path: The path or URI of the table's folder.
        table_name: The table's name in Spark's catalog; give either it or ``path``.
        version: The version; by default the newest.
        targets: The column to predict.
        name: What people call it; by default ``dataset``.
        digest: What tells it from other data of that name; by default made from all its cells, names and types.

    Raises:
        InvalidInput: Neither or both of path and name, no such column, neither a session nor deltalake, or a name
            without a session.
        NotFound: There is no such table, or no such version of it.
        StoreError: It cannot be reached, or not be read.
    """
    source = DeltaDatasetSource(path, table_name, version).pinned()
    table = source.load()
    make = PandasDataset if is_frame(table) else SparkDataset
    return make(table, source, targets, name, digest)


def _source(
    spark: Any,
    path: str | os.PathLike[str] | None,
    table_name: str | None,
    version: str | int | None,
    sql: str | None,
) -> DatasetSource:
    if sql is not None:
        return SparkDatasetSource(sql=sql)
    if table_name is not None:
        is_delta = delta_table.is_table(spark, table_name)
    else:
        is_delta = delta_table.is_table_in(spark, str(path))
    if is_delta:
        return DeltaDatasetSource(path, table_name, version)
    if version is not None:
        raise InvalidInput(f"{table_name or str(path)!r} is no table of Delta, and has no version {version}.")
    return SparkDatasetSource(path, table_name)


def _check(df: object) -> None:
    kinds = type(df).__mro__
    if not any(kind.__name__ == "DataFrame" and kind.__module__.startswith("pyspark.sql.") for kind in kinds):
        hint = "Use its to_spark()." if type(df).__module__.startswith("pyspark.pandas") else None
        raise InvalidInput(f"A {type(df).__name__} is no DataFrame of Spark.", hint=hint)
    if getattr(df, "isStreaming", False):
        raise InvalidInput("A stream of Spark has no end, and so no digest.", hint="Write it, and read what is there.")


def _column_type(kind: Any) -> ColumnType:
    name = type(kind).__name__
    if name == "ArrayType":
        return Array(_column_type(kind.elementType))
    if name == "MapType" and type(kind.keyType).__name__ == "StringType":
        return Map(_column_type(kind.valueType))
    if name == "StructType" and kind.fields:
        fields = ((field.name, _column_type(field.dataType), field.nullable) for field in kind.fields)
        return Object(Property(field, inner, required=not nullable) for field, inner, nullable in fields)
    return _TYPES.get(name, AnyType())
