"""The schema of a database: made when it is first used, recognised, and brought up to date.

A database is taken for dovetail's by two of its tables. One with other tables and without these belongs to
somebody else, MLflow perhaps, and is never written to.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from dovetail import settings, uris
from dovetail.errors import ForeignLayout, SchemaTooNew, StoreError
from dovetail.values import DEFAULT_EXPERIMENT_ID, DEFAULT_EXPERIMENT_NAME, LifecycleStage
from dovetail.values.measure import now_ms

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from dovetail_sql.database import Database, Transaction
    from dovetail_sql.migrations import Migration

__all__ = ["VERSION", "SchemaState", "check", "given_root", "pending", "prepare", "state_in", "upgrade"]

VERSION = 3
"""The schema version that this release makes and works with."""

_OURS = frozenset({"schema_version", "journal_writers"})
_MLFLOW = frozenset({"experiments", "runs", "alembic_version"})


class SchemaState(NamedTuple):
    """How a database's schema relates to this release.

    Args:
        version: The schema version it has; 0 if nothing was made yet.
        wanted: The version this release works with.
        backup: Where the copy lies that was made before upgrading, if one was.
        before: The version it had before it was made or upgraded just now; None if nothing was done.
    """

    version: int
    wanted: int
    backup: str | None = None
    before: int | None = None

    @property
    def current(self) -> bool:
        """Whether there is nothing to do."""
        return self.version == self.wanted


def check(database: Database, wanted: int = VERSION) -> SchemaState:
    """Say which schema version a database has, without changing anything.

    Args:
        database: Where to look; it need not be at the wanted version.
        wanted: The version to compare with; by default the one this release works with.

    Raises:
        ForeignLayout: It holds tables of somebody else.
        SchemaTooNew: It was written by a newer dovetail.
        StoreError: It cannot be read.
    """
    with database.plain() as transaction:
        return state_in(transaction, database, wanted)


def pending(database: Database, state: SchemaState, migrations: Sequence[Migration] | None = None) -> list[Migration]:
    """The steps that an upgrade would take.

    Args:
        database: What would be upgraded.
        state: What ``check`` said about it.
        migrations: The steps there are; by default those of this release.

    Raises:
        StoreError: They do not lead to the wanted version.
    """
    if state.version == 0 or state.current:
        return []
    return list(_way(database, state, _released() if migrations is None else migrations))


def upgrade(
    database: Database,
    wanted: int = VERSION,
    migrations: Sequence[Migration] | None = None,
    progress: Callable[[str], None] | None = None,
) -> SchemaState:
    """Bring a database to the wanted schema version, making it if it is empty.

    All of it happens in one transaction, after a backup where the engine can make one: others see the schema as it
    was or as it is to be. On engines that change tables outside of transactions (MySQL, MariaDB) each step counts as
    done when it is noted, and who is killed between its statements leaves a schema that neither version has: there a
    backup is made beforehand. Any number of processes may do this at once; one of them does the work.

    Args:
        database: What to upgrade.
        wanted: The version to reach; by default the one this release works with.
        migrations: The steps there are; by default those of this release.
        progress: Told about the copy and about each step.

    Raises:
        ForeignLayout: It holds tables of somebody else.
        SchemaTooNew: It was written by a newer dovetail.
        StoreReadOnly: It may not be written to.
        StoreError: It could not be done; where tables change in transactions, the database is as it was before.
    """
    with database.exclusive() as transaction:
        state = state_in(transaction, database, wanted)
        if state.version == 0:
            _create(database, transaction, wanted)
            return SchemaState(wanted, wanted, before=0)
        if state.current:
            return state
        steps = pending(database, state, migrations)
        tell = progress or _quiet
        if not database.shared:  # those who run a server back it up
            tell(f"copying {database.name}")
        backup = transaction.backup(state.version)
        _migrate(transaction, steps, tell)
        return SchemaState(wanted, wanted, backup, before=state.version)


def prepare(database: Database) -> None:
    """What a database does before its first transaction: look, and make or upgrade the schema if need be.

    Raises:
        StoreError: It is shared and has an older schema, which others may still be working with.
    """
    state = check(database)
    if state.version and not state.current and database.shared:
        raise StoreError(
            f"{database.name} has schema version {state.version}; this {database.plugin} works with {state.wanted}.",
            hint="Stop what uses it, make a backup, and upgrade it: dovetail db upgrade <its URI>",
        )
    if not state.current:
        upgrade(database)


def given_root(database: Database) -> str | None:
    """The artifact root that an experiment keeps for good, as a URI.

    None if its artifacts go where the store keeps them at the time: beside the database, if that is a file.
    """
    root: str | None = settings.get("artifact_root")
    if root is None:
        return database.artifact_root if database.shared else None
    return uris.uri_of(uris.path_of(root)) if uris.is_local(root) else root


def state_in(transaction: Transaction, database: Database, wanted: int = VERSION) -> SchemaState:
    """What ``check`` says, in a transaction that is open already."""
    tables = transaction.tables()
    if not tables:
        if (claim := transaction.claim()) is not None:
            raise _foreign(database, f"its {claim} says so")
        return SchemaState(0, wanted)
    if transaction.unfinished():
        return SchemaState(0, wanted)
    if not tables >= _OURS:
        raise _mlflow(database) if tables >= _MLFLOW else _foreign(database, f"with {', '.join(sorted(tables)[:3])}…")
    version = _version(database, transaction)
    if version > wanted:
        raise _too_new(database, version, wanted)
    return SchemaState(version, wanted)


def _version(database: Database, transaction: Transaction) -> int:
    row = transaction.first("version", {})
    if row is None:
        raise StoreError(f"{database.name} has lost its schema version.", hint="Restore it from a backup.")
    version = row[0]
    # sqlite stores anything in any column.
    if not isinstance(version, int) or version < 1:
        raise StoreError(
            f"{database.name} has {version!r:.50} in its table schema_version, which is no version.",
            hint="Restore it from a backup.",
        )
    return version


def _mlflow(database: Database) -> ForeignLayout:
    return ForeignLayout(
        f"{database.name} is a database of MLflow's and is left as it is.",
        hint="Name another one, such as sqlite:///dovetail.db; `dovetail import mlflow` brings in what a file holds.",
    )


def _foreign(database: Database, why: str) -> ForeignLayout:
    return ForeignLayout(
        f"{database.name} is a database of something else ({why}) and is left as it is.",
        hint="Name another database; dovetail makes a new one at its first use.",
    )


def _too_new(database: Database, version: int, wanted: int) -> SchemaTooNew:
    return SchemaTooNew(
        f"{database.name} has schema version {version}; this {database.plugin} works with versions up to {wanted}.",
        hint=f"A newer dovetail wrote it: upgrade {database.plugin} from where you installed it.",
    )


def _create(database: Database, transaction: Transaction, version: int) -> None:
    for text in database.definitions():
        transaction.execute(text)
    transaction.run("add_version", {"version": version})
    root, now = given_root(database), now_ms()
    row = {
        "id": int(DEFAULT_EXPERIMENT_ID),
        "name": DEFAULT_EXPERIMENT_NAME,
        "artifact_location": None if root is None else uris.join(root, DEFAULT_EXPERIMENT_ID),
        "stage": LifecycleStage.ACTIVE,
        "creation_time": now,
        "last_update_time": now,
    }
    transaction.run("add_default_experiment", row)


def _way(database: Database, state: SchemaState, migrations: Sequence[Migration]) -> Sequence[Migration]:
    steps = [step for step in migrations if state.version < step.version <= state.wanted]
    if [step.version for step in steps] != list(range(state.version + 1, state.wanted + 1)):
        raise StoreError(
            f"{database.name} was not upgraded: there is no way from schema version {state.version} to {state.wanted}.",
            hint=f"Reinstall {database.plugin} from where you installed it.",
        )
    return steps


def _migrate(transaction: Transaction, steps: Sequence[Migration], tell: Callable[[str], None]) -> None:
    for step in steps:
        tell(f"upgrading to {step}")
        step.apply(transaction)
        # After each: where engines change tables outside of transactions, who is killed goes on at the same step.
        transaction.run("set_version", {"version": step.version})


def _quiet(message: str) -> None:
    del message


def _released() -> Sequence[Migration]:
    from dovetail_sql.migrations import released

    return released()
