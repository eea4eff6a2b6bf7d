"""Datasets, and which runs used them."""

from __future__ import annotations

from sqlalchemy import Column, Index, String, Table, UniqueConstraint

from dovetail_sql.tables.columns import Id, metadata, name, of, value
from dovetail_sql.tables.experiments import experiments
from dovetail_sql.tables.runs import runs

__all__ = ["datasets", "input_tags", "run_inputs"]

datasets = Table(
    "datasets",
    metadata,
    Column("id", Id, primary_key=True),
    of(experiments),
    Column("name", name(500), nullable=False),
    Column("digest", name(36), nullable=False),
    Column("source_type", String(36), nullable=False),
    Column("source", value(), nullable=False),
    Column("schema", value()),
    Column("profile", value()),
    UniqueConstraint("experiment", "name", "digest"),
)
Index("ix_datasets_name", datasets.c.name)
Index("ix_datasets_digest", datasets.c.digest)

run_inputs = Table(
    "run_inputs",
    metadata,
    Column("id", Id, primary_key=True),
    of(runs),
    of(datasets, index=True),
    UniqueConstraint("run", "dataset"),
)

input_tags = Table(
    "input_tags",
    metadata,
    of(run_inputs, primary_key=True),
    Column("name", name(255), primary_key=True),
    Column("value", name(500), nullable=False),
    sqlite_with_rowid=False,
)
# Without the name: names and values of the greatest length together are more than PostgreSQL's indexes hold.
Index("ix_input_tags_search", input_tags.c.value, input_tags.c.input)
