"""Who sees to runs that go on."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, String, Table

from dovetail_sql.tables.columns import metadata
from dovetail_sql.tables.runs import runs

__all__ = ["leases"]

# Times are of the engine's clock. There are as many rows as runs go on, so there is nothing to be found by an index.
leases = Table(
    "leases",
    metadata,
    # A plain number, so that the table is made by the same words in every engine.
    Column("run", BigInteger, ForeignKey(runs.c.id), primary_key=True, autoincrement=False),
    Column("holder", String(64), nullable=False),
    Column("beat", BigInteger, nullable=False),
    # NULL: the run was taken for crashed.
    Column("lapse", BigInteger),
)
