"""Histories of metrics: a tail that grows at its end, and blocks of points that were sealed.

``metric_points`` grows at its end only, whatever runs and keys are written to, so that logging stays sequential.
Rows whose points went into a block are deleted with the transaction that adds the block. Identical points are told
apart when they are read, not when they are written: one may stand in the tail and in several blocks.

MySQL and MariaDB give every foreign key an index, so that ``metric_points`` has one on ``key`` there that nothing asks
for, and each point logged adds an entry to it. A change of the schema could leave the reference away.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, Table
from sqlalchemy.dialects.mysql import MEDIUMBLOB

from dovetail_sql.tables.columns import Id, Number, metadata, of
from dovetail_sql.tables.experiments import keys
from dovetail_sql.tables.runs import runs

if TYPE_CHECKING:
    from sqlalchemy.types import TypeEngine

__all__ = ["metric_blocks", "metric_points"]

metric_points = Table(
    "metric_points",
    metadata,
    Column("id", Id, primary_key=True),
    of(runs, index=True),
    of(keys),
    Column("value", Number),
    Column("timestamp", BigInteger, nullable=False),
    Column("step", BigInteger, nullable=False),
)


def _packed() -> TypeEngine[bytes]:
    """Bytes of which a block may have more than MySQL's BLOB holds."""
    return LargeBinary().with_variant(MEDIUMBLOB(), "mysql", "mariadb")


# What ``blocks`` packs and reads; what queries ask for stands in columns of its own, ahead of the bytes.
metric_blocks = Table(
    "metric_blocks",
    metadata,
    Column("id", Id, primary_key=True),
    of(runs),
    of(keys),
    Column("points", Integer, nullable=False),
    Column("first_timestamp", BigInteger, nullable=False),
    Column("last_timestamp", BigInteger, nullable=False),
    Column("min_step", BigInteger, nullable=False),
    Column("max_step", BigInteger, nullable=False),
    Column("head", _packed(), nullable=False),
    Column("payload", _packed(), nullable=False),
)

Index(
    "ix_metric_blocks_order",
    metric_blocks.c.run,
    metric_blocks.c.key,
    metric_blocks.c.first_timestamp,
    metric_blocks.c.last_timestamp,
    metric_blocks.c.points,
)
