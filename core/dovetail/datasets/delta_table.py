"""What is asked about a folder that may hold a table of Delta Lake."""

from __future__ import annotations

import re
from contextlib import contextmanager
from importlib import import_module
from typing import TYPE_CHECKING, Any

from dovetail import uris
from dovetail.datasets.spark_session import reading
from dovetail.errors import InvalidInput, NotFound, StoreError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["frame", "is_table", "is_table_in", "newest", "newest_in"]

_LOG = "_delta_log"  # the folder that makes a folder a table
_COMMIT = "/([0-9]{20})[.]json$"  # a file of the log, by the version that it makes
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")


def frame(path: str, version: int | None) -> Any:
    """The table as deltalake reads it, a DataFrame of pandas.

    Raises:
        InvalidInput: deltalake is not installed, or lacks something.
        NotFound: There is no such table or version.
        StoreError: It cannot be read.
    """
    with _opened(path) as table:
        if version is not None:
            _go_to(table, path, version)
        return table.to_pandas()


def newest(path: str) -> int:
    """The newest version, as deltalake finds it.

    Raises:
        InvalidInput: deltalake is not installed.
        NotFound: There is no such table.
        StoreError: It cannot be read.
    """
    with _opened(path) as table:
        return int(table.version())


def newest_in(spark: Any, path: str) -> int:
    """The newest version, by the names of the files in the table's log as Spark lists them.

    Raises:
        NotFound: There is no such table.
        StoreError: It cannot be read.
    """
    with reading(f"The Delta table {uris.masked(path)!r}"):
        files = _log_in(spark, path).selectExpr(f"max(regexp_extract(path, '{_COMMIT}', 1))")
        (found,) = files.collect()[0]
    if not found:
        raise NotFound(f"{uris.masked(path)!r} holds no table of Delta: its log is empty.")
    return int(found)


def is_table_in(spark: Any, path: str) -> bool:
    """Whether there is a table, by the places that Spark reads.

    Raises:
        StoreError: Spark cannot look there.
    """
    try:
        with reading(f"What may be a Delta table at {uris.masked(path)!r}"):
            return bool(_log_in(spark, path).columns)
    except NotFound:
        return False


def is_table(spark: Any, name: str) -> bool:
    """Whether the table of that name in Spark's catalog is one of Delta.

    Raises:
        InvalidInput: It is no name.
        StoreError: The catalog cannot be asked.
    """
    with reading(f"Spark's table {name!r}"):
        if not spark.catalog.tableExists(name):
            return False
        rows = spark.sql(f"DESCRIBE TABLE EXTENDED {name}").collect()  # Spark has read the name before
    return any(row["col_name"] == "Provider" and row["data_type"].lower() == "delta" for row in rows)


def _log_in(spark: Any, path: str) -> Any:
    """The files of the log; Spark looks for the folder at once, and into no file."""
    files = spark.read.format("binaryFile").option("pathGlobFilter", "*.json")
    return files.load(f"{path.rstrip('/')}/{_LOG}").select("path")


@contextmanager
def _opened(path: str) -> Iterator[Any]:
    """The table of deltalake, whose errors become dovetail's."""
    library, errors = _library(), import_module("deltalake.exceptions")
    try:
        yield library.DeltaTable(path)
    except errors.TableNotFoundError as error:
        raise NotFound(f"There is no table of Delta at {uris.masked(path)!r}: {_said(error)}") from error
    except (errors.DeltaError, OSError) as error:
        raise StoreError(f"The Delta table {uris.masked(path)!r} cannot be read: {_said(error)}") from error
    except ImportError as error:
        raise InvalidInput(f"deltalake lacks a library: {error}", hint="pip install pandas pyarrow") from error


def _go_to(table: Any, path: str, version: int) -> None:
    errors = import_module("deltalake.exceptions")
    try:
        table.load_as_version(version)
    except errors.DeltaError as error:
        raise NotFound(f"{uris.masked(path)!r} has no version {version}: {_said(error)}") from error


def _said(error: Exception) -> str:
    """The first line, without colours."""
    return uris.masked(_COLOURS.sub("", str(error)).strip().partition("\n")[0])


def _library() -> Any:
    try:
        library = import_module("deltalake")
    except ModuleNotFoundError:
        library = None
    if hasattr(library, "DeltaTable"):  # a folder of that name beside the script can be imported too
        return library
    raise InvalidInput(
        "Tables of Delta need a Spark session or the library `deltalake`; neither is here.",
        hint="pip install deltalake, or begin a session with SparkSession.builder.",
    )
