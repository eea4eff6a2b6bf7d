"""Looking after a database: is its schema up to date, is its data sound, and the upgrade."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from dovetail.tracking.schema import SchemaReport, SchemaUpgrade
from dovetail_sql import schema

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from dovetail_sql.database import Database, Transaction
    from dovetail_sql.migrations import Migration

__all__ = ["looked_at", "upgraded"]

_TABLE = re.compile(r"CREATE TABLE (?:IF NOT EXISTS )?[\"`]?(\w+)")


def looked_at(
    database: Database,
    wanted: int = schema.VERSION,
    migrations: Sequence[Migration] | None = None,
    *,
    quick: bool = False,
) -> SchemaReport:
    """How a database is; see ``SchemaKeeper.check_schema``.

    Args:
        database: Where to look.
        wanted: The version to compare with; by default the one this release works with.
        migrations: The steps there are; by default those of this release.
        quick: Leave out what takes long.
    """
    with database.plain() as transaction:
        state = schema.state_in(transaction, database, wanted)
        steps = schema.pending(database, state, migrations)
        faults = [] if state.version == 0 else [*_missing(database, transaction, state)]
        faults += [] if state.version == 0 else transaction.faults(quick=quick)
    database.tidy()
    return SchemaReport(state.version, wanted, tuple(map(str, steps)), tuple(faults))


def upgraded(
    database: Database,
    progress: Callable[[str], None],
    wanted: int = schema.VERSION,
    migrations: Sequence[Migration] | None = None,
) -> SchemaUpgrade:
    """Bring a database up to date; see ``SchemaKeeper.upgrade_schema``.

    Args:
        database: What to upgrade.
        progress: Told about each step.
        wanted: The version to reach; by default the one this release works with.
        migrations: The steps there are; by default those of this release.
    """
    state = schema.upgrade(database, wanted, migrations, progress)
    before = state.version if state.before is None else state.before
    return SchemaUpgrade(before, state.version, state.backup)


def _missing(database: Database, transaction: Transaction, state: schema.SchemaState) -> list[str]:
    """Tables of this version that are not there; those of older versions are known to nobody any more."""
    if not state.current:
        return []
    wanted = [match[1] for text in database.definitions() if (match := _TABLE.match(text))]
    gone = sorted(set(wanted) - transaction.tables())
    return [f"the table {name} is missing" for name in gone]
