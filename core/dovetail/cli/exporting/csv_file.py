"""Rows as CSV."""

from __future__ import annotations

import csv
from datetime import datetime, timezone
from typing import IO, TYPE_CHECKING, Any

from dovetail.cli import output
from dovetail.cli.exporting.columns import TIMES

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from dovetail.cli.exporting.columns import OutColumn

__all__ = ["write"]


def write(file: IO[str], columns: Sequence[OutColumn], rows: Iterable[Sequence[Any]], *, shown: bool) -> int:
    """Write a heading and the rows.

    Args:
        file: Where to.
        columns: What stands in each row.
        rows: The values.
        shown: Whether a terminal gets them, to which control characters must not be sent.

    Returns:
        How many rows there are.
    """
    writer = csv.writer(_Lines(file), lineterminator="\r\n")
    headings = [column.heading for column in columns]
    writer.writerow(map(output.one_line, headings) if shown else headings)
    count, moments = 0, [column.family == "info" and column.key in TIMES for column in columns]
    for row in rows:
        count += 1
        cells = [_moment(value) if moment else _cell(value) for value, moment in zip(row, moments, strict=True)]
        writer.writerow(map(output.one_line, cells) if shown else cells)
    return count


class _Lines:
    """Ends rows by a line feed alone, as other programs on this system do.

    The writer must not know of it: it leaves unquoted what it does not end rows by, and readers end rows by both.

    Args:
        file: Where rows go.
    """

    def __init__(self, file: IO[str]) -> None:
        self._file = file

    def write(self, row: str) -> int:
        """Write one row."""
        return self._file.write(row.removesuffix("\r\n") + "\n")


def _cell(value: Any) -> str:
    """A value as pandas writes it, which is how MLflow has it: nothing for NaN."""
    return "" if value is None or value != value else str(value)  # noqa: PLR0124 - NaN


def _moment(milliseconds: int | None) -> str:
    if milliseconds is None:
        return ""
    try:
        moment = datetime.fromtimestamp(milliseconds / 1000, timezone.utc)
    except (OSError, OverflowError, ValueError):  # later than the year 9999
        return str(milliseconds)
    return moment.isoformat(" ", "milliseconds")
