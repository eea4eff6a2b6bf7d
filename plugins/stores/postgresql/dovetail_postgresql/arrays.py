"""Insertions of many rows as one statement, whose parameters are the columns of those rows as arrays."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from dovetail_postgresql.words import dialect

if TYPE_CHECKING:
    from sqlalchemy.sql.dml import Insert

__all__ = ["of_arrays"]

_KINDS = {int: "int8[]", float: "float8[]", str: "text[]", bytes: "bytea[]"}
_CONFLICT = " ON CONFLICT "


@cache
def of_arrays(construct: Insert, text: str, columns: tuple[str, ...]) -> str:
    """An insertion of as many rows as its arrays are long.

    Where it changes rows that are there, no two of the new ones may have the same key.

    Args:
        construct: The insertion of one row, as ``statements.parts.row`` makes it: a parameter for each column.
        text: Its text.
        columns: The columns that get a value, each from the array of its name.
    """
    table = construct.table
    written = dialect.identifier_preparer
    names = ", ".join(written.format_column(table.c[name]) for name in columns)
    arrays = ", ".join(f"%({name})s::{_KINDS[table.c[name].type.python_type]}" for name in columns)
    _, conflict, what_then = text.partition(_CONFLICT)
    rows = f"({names}) SELECT * FROM unnest({arrays})"  # noqa: S608 - of our own pieces
    return f"INSERT INTO {written.format_table(table)} {rows}{conflict}{what_then}"
