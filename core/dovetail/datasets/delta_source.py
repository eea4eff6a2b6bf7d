"""Tables of Delta Lake, which Spark reads, or the library deltalake where there is no Spark."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Any

from dovetail import uris
from dovetail.datasets import delta_table
from dovetail.datasets.source import DatasetSource
from dovetail.datasets.spark_session import active_session, reading
from dovetail.errors import InvalidInput

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = ["DeltaDatasetSource"]

_VERSION = re.compile(r"[0-9]{1,18}")


class DeltaDatasetSource(DatasetSource):
    """A table of Delta Lake, by its path or its name.

    Args:
        path: The path or URI of the table's folder.
        delta_table_name: The table's name in Spark's catalog; give either it or ``path``.
        delta_table_version: The version; by default the newest at the time of loading.
        delta_table_id: The table's id in a catalog that has such; it is kept, and nothing is asked by it.

    Raises:
        InvalidInput: Neither path nor name is given, both are, or one is of the wrong type.
    """

    source_type = "delta_table"

    def __init__(
        self,
        path: str | os.PathLike[str] | None = None,
        delta_table_name: str | None = None,
        delta_table_version: int | str | None = None,
        delta_table_id: str | None = None,
    ) -> None:
        if (path is None) == (delta_table_name is None):
            raise InvalidInput("A table of Delta is found by its path or by its name: give one of them.")
        texts = {
            "path": os.fspath(path) if isinstance(path, os.PathLike) else path,
            "delta_table_name": delta_table_name,
            "delta_table_id": delta_table_id,
        }
        for key, value in texts.items():
            if value is not None:
                self.text_in(texts, key)
        self.path = texts["path"]
        self.delta_table_name = delta_table_name
        self.delta_table_version = _version(delta_table_version)
        self.delta_table_id = delta_table_id

    def load(self, dst_path: str | os.PathLike[str] | None = None) -> Any:
        """The table: of Spark where this process has a session, of pandas otherwise.

        Args:
            dst_path: Must be None: the table is read where it is.

        Raises:
            InvalidInput: There is a ``dst_path``, neither a session nor deltalake, or a name without a session.
            NotFound: There is no such table, or no such version of it.
            StoreError: It cannot be reached, or not be read.
        """
        if dst_path is not None:
            raise InvalidInput("A table of Delta is not copied into a folder.", hint="Load it and write it there.")
        spark = active_session()
        if spark is not None:
            with reading(self._described()):
                return self._frame(spark)
        return delta_table.frame(self._path_without_spark(), self.delta_table_version)

    def _frame(self, spark: Any) -> Any:
        version = self.delta_table_version
        reader = spark.read if version is None else spark.read.option("versionAsOf", version)
        if self.delta_table_name is not None:
            return reader.table(self.delta_table_name)
        return reader.format("delta").load(self.path)

    def pinned(self) -> DeltaDatasetSource:
        """The same table at the version that is now its newest; a table known by its name only stays as it is.

        Raises:
            InvalidInput: As ``load``.
            NotFound: There is no such table.
            StoreError: It cannot be reached.
        """
        if self.delta_table_version is not None or self.path is None:
            return self
        spark = active_session()
        newest = delta_table.newest(self.path) if spark is None else delta_table.newest_in(spark, self.path)
        return DeltaDatasetSource(self.path, delta_table_version=newest, delta_table_id=self.delta_table_id)

    def _path_without_spark(self) -> str:
        if self.path is not None:
            return self.path
        raise InvalidInput(
            f"Only Spark knows where the table {self.delta_table_name!r} is, and this process has no session.",
            hint="Begin one with SparkSession.builder, or name the table by its path.",
        )

    def _described(self) -> str:
        version = "" if self.delta_table_version is None else f" at version {self.delta_table_version}"
        return f"The Delta table {uris.masked(self.path or self.delta_table_name or '')!r}{version}"

    def to_dict(self) -> dict[str, Any]:
        """What is known of it."""
        known = {
            "path": self.path,
            "delta_table_name": self.delta_table_name,
            "delta_table_version": self.delta_table_version,
            "delta_table_id": self.delta_table_id,
        }
        return {key: value for key, value in known.items() if value is not None}

    @classmethod
    def from_dict(cls, source_dict: dict[str, Any]) -> Self:
        """The table that was stored, by dovetail or MLflow.

        Raises:
            InvalidInput: It is not exactly one of path and name, or something is of the wrong type.
        """
        keys = ("path", "delta_table_name", "delta_table_version", "delta_table_id")
        return cls(**{key: source_dict.get(key) for key in keys})


def _version(given: Any) -> int | None:
    """The version as a number; people and MLflow write it as text, too."""
    if given is None:
        return None
    if not isinstance(given, (int, str)) or isinstance(given, bool) or not _VERSION.fullmatch(str(given)):
        raise InvalidInput(f"{given!r} is no version of a Delta table.", hint="Versions are 0, 1, 2 …")
    return int(given)
