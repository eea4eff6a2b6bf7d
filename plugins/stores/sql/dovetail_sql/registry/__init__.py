"""The model registry of every SQL engine."""

from __future__ import annotations

# ruff: noqa: D102 - the docstrings of these methods stand in the interface
from typing import TYPE_CHECKING

from dovetail_sql.registry.models import Models
from dovetail_sql.registry.moves import Moves
from dovetail_sql.registry.versions import Versions

if TYPE_CHECKING:
    from dovetail_sql.database import Database

__all__ = ["SqlRegistryStore"]


class SqlRegistryStore(Models, Versions, Moves):
    """Registered models in a SQL database, the same that a tracking store may use; one part a module.

    Args:
        database: The database; it brings its schema along at its first use.
    """

    def __init__(self, database: Database) -> None:
        self.database = database
        self.uri = database.uri

    def close(self) -> None:
        self.database.close()
