"""Every fixed statement by name, as SQLAlchemy Core constructs; one module a noun.

Engines whose store must start fast run them as text that ``dovetail_sql.compiling`` wrote beforehand.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from sqlalchemy.dialects import sqlite

from dovetail_sql.statements import bin as bin_
from dovetail_sql.statements import datasets, experiments, histories, leases, logged_models, registry, runs
from dovetail_sql.statements.runs import RUN_COLUMNS

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Table
    from sqlalchemy.sql.expression import Executable

    from dovetail_sql.statements.parts import Put

__all__ = ["MANY", "RUN_COLUMNS", "fixed"]

_NOUNS = (experiments, runs, leases, histories, datasets, logged_models, registry, bin_)

MANY: dict[str, tuple[str, ...]] = {name: columns for noun in _NOUNS for name, columns in noun.MANY.items()}
"""The statements that are executed for many rows, and the order of the values in each row."""


def fixed(upserting: Callable[[Table], Any] = sqlite.insert) -> dict[str, Executable]:
    """All fixed statements.

    Args:
        upserting: The engine's ``insert`` with ``on_conflict_do_update`` and ``on_conflict_do_nothing``: that of a
            dialect of SQLAlchemy's (sqlite, PostgreSQL), or one with the same methods.
    """
    put = cast("Put", upserting)
    return {name: statement for noun in _NOUNS for name, statement in noun.fixed(put).items()}
