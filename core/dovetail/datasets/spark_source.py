"""Data that Spark reads."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from dovetail import uris
from dovetail.datasets.source import DatasetSource
from dovetail.datasets.spark_session import reading, session
from dovetail.errors import InvalidInput, Untrusted

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = ["SparkDatasetSource"]


class SparkDatasetSource(DatasetSource):
    """Parquet files, a table or a query of Spark; exactly one of them.

    Args:
        path: A path or URI that Spark reads as Parquet.
        table_name: The name of a table or view, with its catalog and schema where Spark needs them.
        sql: A query.

    Raises:
        InvalidInput: None of them is given, several are, or one is no text.
    """

    source_type = "spark"

    def __init__(
        self, path: str | os.PathLike[str] | None = None, table_name: str | None = None, sql: str | None = None
    ) -> None:
        location = os.fspath(path) if isinstance(path, os.PathLike) else path
        given = {"path": location, "table_name": table_name, "sql": sql}
        self._given = {key: value for key, value in given.items() if value is not None}
        if len(self._given) != 1:
            raise InvalidInput("A source of Spark is exactly one of path, table_name and sql.")
        for key in self._given:
            self.text_in(self._given, key)
        self._is_stored = False

    def load(self, dst_path: str | os.PathLike[str] | None = None, *, trust_sql: bool = False) -> Any:
        """The data, as a DataFrame of Spark; without a session, one begins.

        Args:
            dst_path: Must be None: Spark reads data where it is.
            trust_sql: Run a query that came out of a store. SQL of Spark reads and writes files, drops tables and calls
                into Java, so that whoever can write to the store could do all that here.

        Raises:
            InvalidInput: pyspark is not installed, there is a ``dst_path``, or Spark cannot read name or query.
            NotFound: There is no such data.
            StoreError: It cannot be reached.
            Untrusted: It is a query out of a store.
        """
        if dst_path is not None:
            raise InvalidInput("Data of Spark is not copied into a folder.", hint="Load it and use its `write`.")
        sql = self._given.get("sql")
        if sql is not None and self._is_stored and not trust_sql:
            raise Untrusted(
                f"The data is a query that came out of a store, and a query can do anything: {sql}",
                hint="If you trust it, pass load(trust_sql=True).",
            )
        with reading(self._described()):
            return self._frame(session())

    def _frame(self, spark: Any) -> Any:
        if "sql" in self._given:
            return spark.sql(self._given["sql"])
        if "table_name" in self._given:
            return spark.read.table(self._given["table_name"])
        return spark.read.parquet(self._given["path"])

    def _described(self) -> str:
        ((kind, value),) = self._given.items()
        return f"Spark's {kind.removesuffix('_name')} {uris.masked(str(value))!r}"

    def to_dict(self) -> dict[str, Any]:
        """The one that was given."""
        return dict(self._given)

    @classmethod
    def from_dict(cls, source_dict: dict[str, Any]) -> Self:
        """The source that was stored; its query, if it is one, is run only for those who trust it.

        Raises:
            InvalidInput: It is not exactly one of path, table and query.
        """
        made = cls(**{key: source_dict.get(key) for key in ("path", "table_name", "sql")})
        made._is_stored = True
        return made
