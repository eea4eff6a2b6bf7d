"""Columns and types that tables have in common, for every engine.

* Runs, logged models, datasets and keys (the names of metrics, params and tags) are referred to by whole numbers; the
  ids that people see are text.
* A metric's value NULL is NaN: a point always has a value, and neither sqlite nor MySQL can hold NaN itself. MySQL's
  doubles have no infinity either, so numbers are kept there as whole ones that stand in the same order.
* Text compares by code point, case included, also where an engine's default is another order.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import BigInteger, Column, Double, ForeignKey, Index, Integer, MetaData, String, Table, Text, text
from sqlalchemy.dialects.mysql import LONGTEXT

from dovetail_sql.floats import Ordered

if TYPE_CHECKING:
    from sqlalchemy.types import TypeEngine

__all__ = ["INDEXED", "Id", "Number", "keyed_texts", "metadata", "name", "named_texts", "of", "searched", "value"]

INDEXED = 128
"""How many characters of a param's or tag's value are indexed at most: engines bound the length of index entries."""

_MYSQL = ("mysql", "mariadb")
# On MySQL the collations that count trailing spaces; others take "a" and "a " for the same key.
_BY_CODE_POINT = {"postgresql": "C", "mysql": "utf8mb4_0900_bin", "mariadb": "utf8mb4_nopad_bin"}

metadata = MetaData(
    naming_convention={"ix": "ix_%(table_name)s_%(column_0_N_name)s", "uq": "uq_%(table_name)s_%(column_0_N_name)s"}
)

# sqlite makes a column the row's own number only if its type reads INTEGER.
Id = BigInteger().with_variant(Integer(), "sqlite")
Number: TypeEngine[float] = Double().with_variant(Ordered(), *_MYSQL)

_REFERENCES = {
    "runs": "run",
    "keys": "key",
    "experiments": "experiment",
    "datasets": "dataset",
    "logged_models": "model",
    "registered_models": "model",
    "model_versions": "version",
    "run_inputs": "input",
}


def name(length: int) -> TypeEngine[str]:
    """Text of bounded length, compared by code point."""
    kind: TypeEngine[str] = String(length)
    for engine, collation in _BY_CODE_POINT.items():
        kind = kind.with_variant(String(length, collation=collation), engine)
    return kind


def value() -> TypeEngine[str]:
    """Text of any length, compared by code point."""
    kind: TypeEngine[str] = Text()
    for engine, collation in _BY_CODE_POINT.items():
        # MySQL's TEXT ends after 64 KiB.
        long = LONGTEXT if engine in _MYSQL else Text
        kind = kind.with_variant(long(collation=collation), engine)
    return kind


def of(table: Table, *, primary_key: bool = False, index: bool = False, nullable: bool = False) -> Column[int]:
    """The column that says which run, key, experiment … a row belongs to."""
    # The parent's identity is a number its engine makes; a reference to it is a plain one.
    reference = ForeignKey(table.c.id)
    return Column(
        _REFERENCES[table.name],
        Id,
        reference,
        primary_key=primary_key,
        index=index,
        nullable=nullable,
        autoincrement=False,
    )


def keyed_texts(table_name: str, owner: Table, keys: Table, *others: Column[Any]) -> Table:
    """A table of one text an owner and interned key, found by (key, value), too; more columns may follow."""
    table = Table(
        table_name,
        metadata,
        of(owner, primary_key=True),
        of(keys, primary_key=True),
        Column("value", value(), nullable=False),
        *others,
        sqlite_with_rowid=False,
    )
    searched(table, table.c.key, table.c[_REFERENCES[owner.name]])
    return table


def named_texts(table_name: str, owner: Table, *, search: bool = True) -> Table:
    """A table of one text an owner and name, found by (name, value), too, if it is searched."""
    table = Table(
        table_name,
        metadata,
        of(owner, primary_key=True),
        Column("name", name(250), primary_key=True),
        Column("value", value(), nullable=False),
        sqlite_with_rowid=False,
    )
    if search:
        searched(table, table.c.name, table.c[_REFERENCES[owner.name]])
    return table


def searched(table: Table, key: Column[Any], owner: Column[Any]) -> None:
    """Index a table of texts by key and value.

    Long values are told apart from short ones, and indexed by key alone: so the index of the short ones holds them
    whole, and a search by any pattern need look at nothing else. MySQL has no such indexes, but takes beginnings.
    """
    halves: Any = ("sqlite", "postgresql")
    for name, columns, length in (("search", (key, table.c.value, owner), "<="), ("long", (key, owner), ">")):
        those: Any = text(f"length(value) {length} {INDEXED}")
        # The annotation of ddl_if names one dialect, its documentation several.
        index = Index(f"ix_{table.name}_{name}", *columns, sqlite_where=those, postgresql_where=those)
        index.ddl_if(dialect=halves)
    bounded: Any = _MYSQL
    Index(
        f"ix_{table.name}_search_mysql", key, table.c.value, owner, mysql_length={"value": INDEXED},
        mariadb_length={"value": INDEXED},
    ).ddl_if(dialect=bounded)  # fmt: skip
