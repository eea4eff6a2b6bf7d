"""Rows as Parquet, by pyarrow."""

from __future__ import annotations

from itertools import islice
from typing import IO, TYPE_CHECKING, Any

from dovetail.cli.exporting.columns import TIMES
from dovetail.errors import PluginMissing

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from dovetail.cli.exporting.columns import OutColumn

__all__ = ["pyarrow", "write"]

_CELLS = 500_000
"""How many values are held at once: rows of many columns are written in smaller groups."""
_MOST = 20_000


def write(file: IO[bytes], columns: Sequence[OutColumn], rows: Iterator[Sequence[Any]]) -> int:
    """Write the rows: metrics as numbers, times as moments in UTC, everything else as text.

    Returns:
        How many rows there are.

    Raises:
        PluginMissing: pyarrow is not installed.
    """
    pa, parquet = pyarrow()
    schema = pa.schema([pa.field(column.heading, _type(pa, column)) for column in columns])
    count, most = 0, max(1, min(_MOST, _CELLS // max(1, len(columns))))
    with parquet.ParquetWriter(file, schema) as writer:
        while group := list(islice(rows, most)):
            count += len(group)
            arrays = [
                pa.array(values, each.type) for values, each in zip(zip(*group, strict=True), schema, strict=True)
            ]
            writer.write_table(pa.Table.from_arrays(arrays, schema=schema))
    return count


def _type(pa: Any, column: OutColumn) -> Any:
    if column.family == "metrics":
        return pa.float64()
    return pa.timestamp("ms", tz="UTC") if column.family == "info" and column.key in TIMES else pa.string()


def pyarrow() -> tuple[Any, Any]:
    """Its two modules.

    Raises:
        PluginMissing: It is not installed.
    """
    try:
        import pyarrow as pa
        from pyarrow import parquet
    except ImportError as error:
        raise PluginMissing(
            f"Parquet files are written by pyarrow, which cannot be imported: {error}.",
            hint="Install it with `pip install pyarrow`, or export as csv or json.",
        ) from error
    return pa, parquet
