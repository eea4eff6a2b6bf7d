"""To version 3: who sees to runs, and when tags were set."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dovetail_sql.database import Transaction

__all__ = ["apply"]

_STEPS = (
    """CREATE TABLE leases ( run BIGINT NOT NULL, holder VARCHAR(64) NOT NULL, beat BIGINT NOT NULL, lapse BIGINT,
    PRIMARY KEY (run), FOREIGN KEY(run) REFERENCES runs (id) )""",
    "ALTER TABLE tag ADD COLUMN set_at BIGINT DEFAULT '0' NOT NULL",
)


def apply(transaction: Transaction) -> None:
    """Take the step."""
    for text in _STEPS:
        transaction.execute(text)
