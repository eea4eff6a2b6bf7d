"""Experiments, the interned keys, and what the database says about itself."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Integer, String, Table, Text

from dovetail_sql.tables.columns import Id, metadata, name, named_texts

__all__ = ["experiment_tags", "experiments", "journal_writers", "keys", "schema_version"]

experiments = Table(
    "experiments",
    metadata,
    Column("id", Id, primary_key=True),
    Column("name", name(500), nullable=False, unique=True),
    # NULL: below the store's default artifact root, wherever that is now.
    Column("artifact_location", Text),
    Column("stage", String(16), nullable=False),
    Column("creation_time", BigInteger, nullable=False),
    Column("last_update_time", BigInteger, nullable=False),
    Column("deletion_time", BigInteger),
    # Ids count up and are not given twice: artifact folders are named by them.
    sqlite_autoincrement=True,
)

experiment_tags = named_texts("experiment_tags", experiments, search=False)

keys = Table(
    "keys",
    metadata,
    Column("id", Id, primary_key=True),
    Column("name", name(250), nullable=False, unique=True),
)

journal_writers = Table(
    "journal_writers",
    metadata,
    Column("writer", name(256), primary_key=True),
    Column("sequence", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

# One row. The table's presence, with journal_writers beside it, is how a database of dovetail's is recognised.
schema_version = Table("schema_version", metadata, Column("version", Integer, nullable=False))
