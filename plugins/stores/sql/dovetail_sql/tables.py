"""The tables, in SQLAlchemy Core, for every engine.

* Runs and keys (the names of metrics, params and tags) are referred to by whole numbers; a run's own id is text.
* ``metric_points`` grows at its end only, whatever runs and keys are written to, so that logging stays sequential.
  Identical points are told apart when they are read, not when they are written.
* ``latest_metric``, ``param`` and ``tag`` hold what a run shows, keyed by (run, key); a second index by
  (key, value, run) finds runs by what they logged.
* A metric's value NULL is NaN: a point always has a value, and neither sqlite nor MySQL can hold NaN itself.
* Text compares by code point, case included, also where an engine's default is another order.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    BigInteger,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    SmallInteger,
    String,
    Table,
    Text,
    text,
)

if TYPE_CHECKING:
    from sqlalchemy.types import TypeEngine

__all__ = [
    "INDEXED",
    "experiment_tags",
    "experiments",
    "journal_writers",
    "keys",
    "latest_metric",
    "metadata",
    "metric_points",
    "param",
    "runs",
    "schema_version",
    "tag",
]

INDEXED = 128
"""How many characters of a param's or tag's value are indexed: engines bound the length of index entries."""

_MYSQL = ("mysql", "mariadb")

metadata = MetaData(
    naming_convention={"ix": "ix_%(table_name)s_%(column_0_N_name)s", "uq": "uq_%(table_name)s_%(column_0_N_name)s"}
)

# sqlite makes a column the row's own number only if its type reads INTEGER.
_Id = BigInteger().with_variant(Integer(), "sqlite")


def _name(length: int) -> TypeEngine[str]:
    """Text of bounded length, compared by code point."""
    return (
        String(length)
        .with_variant(String(length, collation="C"), "postgresql")
        .with_variant(String(length, collation="utf8mb4_bin"), *_MYSQL)
    )


def _value() -> TypeEngine[str]:
    """Text of any length, compared by code point."""
    return Text().with_variant(Text(collation="C"), "postgresql").with_variant(Text(collation="utf8mb4_bin"), *_MYSQL)


def _of(table: Table, *, primary_key: bool = False, index: bool = False) -> Column[int]:
    """The column that says which run, key or experiment a row belongs to."""
    name = {"runs": "run", "keys": "key", "experiments": "experiment"}[table.name]
    # The parent's identity is a number its engine makes; a reference to it is a plain one.
    reference = ForeignKey(table.c.id)
    return Column(name, _Id, reference, primary_key=primary_key, index=index, nullable=False, autoincrement=False)


experiments = Table(
    "experiments",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("name", _name(500), nullable=False, unique=True),
    # NULL: below the store's default artifact root, wherever that is now.
    Column("artifact_location", Text),
    Column("stage", String(8), nullable=False),
    Column("creation_time", BigInteger, nullable=False),
    Column("last_update_time", BigInteger, nullable=False),
    # Ids count up and are not given twice: artifact folders are named by them.
    sqlite_autoincrement=True,
)

experiment_tags = Table(
    "experiment_tags",
    metadata,
    _of(experiments, primary_key=True),
    Column("name", _name(250), primary_key=True),
    Column("value", _value(), nullable=False),
    sqlite_with_rowid=False,
)

keys = Table(
    "keys",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("name", _name(250), nullable=False, unique=True),
)

runs = Table(
    "runs",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("run_id", _name(256), nullable=False, unique=True),
    _of(experiments),
    Column("name", _value(), nullable=False),
    Column("user_id", _value(), nullable=False),
    Column("status", String(16), nullable=False),
    Column("start_time", BigInteger, nullable=False),
    Column("end_time", BigInteger),
    # NULL: below the store's default artifact root, as for experiments.
    Column("artifact_uri", Text),
    Column("stage", String(8), nullable=False),
    # 1: it went into the bin along with its experiment and comes back with it.
    Column("binned_with_experiment", SmallInteger, nullable=False),
)

# Runs of an experiment in the order in which they are listed.
Index("ix_runs_listing", runs.c.experiment, runs.c.stage, runs.c.start_time.desc(), runs.c.run_id)

metric_points = Table(
    "metric_points",
    metadata,
    Column("id", _Id, primary_key=True),
    _of(runs, index=True),
    _of(keys),
    Column("value", Double),
    Column("timestamp", BigInteger, nullable=False),
    Column("step", BigInteger, nullable=False),
)

latest_metric = Table(
    "latest_metric",
    metadata,
    _of(runs, primary_key=True),
    _of(keys, primary_key=True),
    Column("value", Double),
    Column("timestamp", BigInteger, nullable=False),
    Column("step", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)
Index("ix_latest_metric_search", latest_metric.c.key, latest_metric.c.value, latest_metric.c.run)


def _texts(name: str) -> Table:
    """A table of one text a run and key."""
    table = Table(
        name,
        metadata,
        _of(runs, primary_key=True),
        _of(keys, primary_key=True),
        Column("value", _value(), nullable=False),
        sqlite_with_rowid=False,
    )
    prefix: Any = text(f"substr(value, 1, {INDEXED})")
    # The annotation of ddl_if names one dialect, its documentation several.
    prefixed: Any = ("sqlite", "postgresql")
    bounded: Any = _MYSQL
    Index(f"ix_{name}_search", table.c.key, prefix, table.c.run).ddl_if(dialect=prefixed)
    Index(
        f"ix_{name}_search_mysql", table.c.key, table.c.value, table.c.run, mysql_length={"value": INDEXED},
        mariadb_length={"value": INDEXED},
    ).ddl_if(dialect=bounded)  # fmt: skip
    return table


param = _texts("param")
tag = _texts("tag")

journal_writers = Table(
    "journal_writers",
    metadata,
    Column("writer", _name(256), primary_key=True),
    Column("sequence", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

# One row. The table's presence, with journal_writers beside it, is how a database of dovetail's is recognised.
schema_version = Table("schema_version", metadata, Column("version", Integer, nullable=False))
