"""The tracking store of every SQL engine."""

from __future__ import annotations

# ruff: noqa: D102 - the docstrings of these methods stand in the interface
from typing import TYPE_CHECKING

from dovetail.tracking.schema import SchemaKeeper
from dovetail_sql.growth import Growth
from dovetail_sql.store.bin import Discarding
from dovetail_sql.store.experiments import Experiments
from dovetail_sql.store.groups import Groups
from dovetail_sql.store.histories import Histories
from dovetail_sql.store.links import Links
from dovetail_sql.store.logged_models import LoggedModels
from dovetail_sql.store.logging import Logging
from dovetail_sql.store.runs import Runs

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from dovetail.tracking.schema import SchemaReport, SchemaUpgrade
    from dovetail_sql.database import Database

__all__ = ["SqlTrackingStore"]


class SqlTrackingStore(Experiments, Runs, Logging, Groups, Histories, Links, LoggedModels, Discarding, SchemaKeeper):
    """Experiments, runs and logged models in a SQL database; one part a module.

    Args:
        database: The database; it brings its schema along at its first use.
    """

    def __init__(self, database: Database) -> None:
        self.database = database
        self.uri, self.journals, self.lasting = database.uri, database.journals, database.lasting
        self.growth, self.put_off = Growth(), []

    def at_once(self) -> AbstractContextManager[None] | None:
        return self.database.at_once()

    def check_schema(self, *, quick: bool = False) -> SchemaReport:
        from dovetail_sql.upkeep import looked_at

        return looked_at(self.database, quick=quick)

    def upgrade_schema(self, progress: Callable[[str], None]) -> SchemaUpgrade:
        from dovetail_sql.upkeep import upgraded

        return upgraded(self.database, progress)

    def close(self) -> None:
        self.database.close()
