"""The Spark session of this process, and what its errors mean."""

from __future__ import annotations

import re
import sys
from contextlib import contextmanager
from importlib import import_module
from typing import TYPE_CHECKING, Any

from dovetail import uris
from dovetail.errors import DovetailError, InvalidInput, NotFound, StoreError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["active_session", "reading", "session"]

# Spark's names of errors; those of Delta's connector begin with DELTA.
_ABSENT = re.compile(r"\[(PATH|TABLE_OR_VIEW|DELTA_(TABLE|PATH|VERSION)\w*)_(NOT_FOUND|NOT_EXIST|DOES_NOT_EXIST)\b")
_UNREADABLE = re.compile(r"\[(PARSE_\w+|INVALID_\w+)[\].]")
_NO_CONNECTOR = re.compile(r"\[DATA_SOURCE_NOT_FOUND\].*\bdelta\b")
_LONGEST = 500


def active_session() -> Any:
    """The session that scripts of this process use; None where nobody has begun one."""
    spark = sys.modules.get("pyspark.sql")  # whoever has a session has imported it
    if spark is None:
        return None
    try:
        return spark.SparkSession.active()
    except _failures():  # there is none
        return None


def session() -> Any:
    """The session of this process, begun with Spark's own settings where there is none.

    Raises:
        InvalidInput: pyspark is not installed.
        StoreError: Spark does not start.
    """
    try:
        spark = import_module("pyspark.sql")
        builder = spark.SparkSession.builder
    except (ModuleNotFoundError, AttributeError) as error:  # a folder called pyspark can be imported too
        raise InvalidInput(
            "Data of Spark needs the library `pyspark`, which is not installed.", hint="pip install pyspark"
        ) from error
    with reading("Spark's session"):
        return active_session() or builder.getOrCreate()


@contextmanager
def reading(what: str) -> Iterator[None]:
    """Say in dovetail's errors what Spark says in its own.

    Args:
        what: What is read, for the message.

    Raises:
        NotFound: There is no such path, table or version.
        InvalidInput: Names or queries that Spark cannot read, or Spark without a connector for Delta.
        StoreError: Anything else.
    """
    try:
        yield
    except _failures() as error:
        raise _meaning(what, _said(error)) from error


def _failures() -> tuple[type[Exception], ...]:
    """What Spark raises; sessions of far servers know nothing of py4j."""
    homes = {"pyspark.errors": "PySparkException", "py4j.protocol": "Py4JError"}
    return tuple(getattr(sys.modules[home], name) for home, name in homes.items() if home in sys.modules)


def _said(error: Exception) -> str:
    """What went wrong, without the stack of the JVM and the sentence about which call it was."""
    text = re.sub(r"^An error occurred while calling \S+\n: ", "", str(error))
    return uris.masked(" ".join(re.split(r"\n\s+at ", text)[0].split()))[:_LONGEST]


def _meaning(what: str, said: str) -> DovetailError:
    if _NO_CONNECTOR.search(said):
        return InvalidInput(
            f"{what} cannot be read: this Spark session has no connector for Delta.",
            hint="Start it with the package io.delta:delta-spark, or stop it: without a session deltalake reads paths.",
        )
    if _ABSENT.search(said):
        return NotFound(f"{what} is not there: {said}")
    kind = InvalidInput if _UNREADABLE.search(said) else StoreError
    return kind(f"{what} cannot be read: {said}")
