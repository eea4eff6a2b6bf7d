"""The seam between the store, written once, and the engines it runs on."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, TypeAlias

from dovetail import settings

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

    from sqlalchemy.sql.expression import Executable

    from dovetail_sql.keys import Keys

__all__ = ["Database", "Row", "Statement", "Taken", "Transaction", "busy_timeout"]

Statement: TypeAlias = "str | Executable"
"""The name of a fixed statement (see ``statements``), or a construct made for one search."""
Row: TypeAlias = "Sequence[Any]"


_LONGEST = 1e6  # seconds; engines count milliseconds in 32 bits


def busy_timeout() -> float:
    """For how many seconds whoever holds a lock is waited for, as the setting says."""
    return float(min(settings.get("busy_timeout"), _LONGEST))


class Taken(Exception):
    """A row of that unique name or id exists; the store says which thing it is."""


class Transaction(ABC):
    """One transaction: what it writes is there for all later readers once it has ended, or not at all.

    Attributes:
        keys: What this connection knows of interned keys.
        lists_first: Whether a search asks for the numbers of the rows on its way before it looks at them, since the
            planner would sooner read whole tables than look up some thousand rows.
    """

    keys: Keys
    lists_first: bool = False

    @abstractmethod
    def run(self, statement: Statement, params: Mapping[str, Any]) -> int:
        """Execute a statement and return how many rows it changed.

        Raises:
            Taken: It would make a unique name or id stand twice.
        """

    @abstractmethod
    def insert(self, statement: Statement, params: Mapping[str, Any]) -> int:
        """Insert one row and return the number its engine gave it.

        Raises:
            Taken: A row of that unique name or id exists.
        """

    @abstractmethod
    def many(self, statement: str, rows: Sequence[Row]) -> int:
        """Execute a fixed statement once a row and return how many rows were changed.

        Args:
            statement: One of ``statements.MANY``.
            rows: Values in the order that ``statements.MANY`` gives. Where the statement changes rows that are there,
                no two have the same key: an engine may do all of it at once.
        """

    @abstractmethod
    def rows(self, statement: Statement, params: Mapping[str, Any]) -> list[Row]:
        """All rows a query answers with."""

    @abstractmethod
    def listed(self, values: Sequence[Any]) -> Any:
        """A list of numbers or texts as this engine takes it for one parameter."""

    @abstractmethod
    def tables(self) -> frozenset[str]:
        """The names of all tables and views that the database has."""

    def claim(self) -> str | None:
        """What says that a database without tables is somebody else's; None if nothing does."""
        return None

    def unfinished(self) -> bool:
        """Whether its tables are what a process left that was killed while it made them; nothing was stored yet.

        Never true where the engine makes tables in transactions.
        """
        return False

    @abstractmethod
    def execute(self, text: str) -> None:
        """Execute a statement that defines something, or one of a migration, given as SQL text."""

    @abstractmethod
    def backup(self, version: int) -> str | None:
        """Copy the database, which is at this schema version, as it is before this transaction changes it.

        The copy is removed again if the transaction fails.

        Returns:
            Where the copy is; None if the engine leaves backups to those who run it.
        """

    def faults(self, *, quick: bool = False) -> Sequence[str]:
        """What the engine finds wrong with the data it keeps, one line each; nothing where it sees to that itself.

        Args:
            quick: Leave out what takes long.
        """
        del quick
        return ()

    def first(self, statement: Statement, params: Mapping[str, Any]) -> Row | None:
        """The first row a query answers with, None if there is none."""
        found = self.rows(statement, params)
        return found[0] if found else None


class Database(ABC):
    """A database of one engine: it opens transactions and brings its schema up to date at the first one.

    All errors of the engine leave it as ``StoreError`` or one of its kinds. Threads may share an instance.

    Attributes:
        uri: Where it is, such that another process opens the same one by it.
        name: What messages call it.
        plugin: The distribution that would have to be upgraded for a newer schema.
        artifact_root: URI of the folder that artifacts go to by default.
        shared: Whether others may be using it from other machines. Then its schema is upgraded only on request, and
            each experiment keeps the place of its artifacts.
        journals: The folder beside it in which processes keep what they log until it is in the database; None for a
            database elsewhere.
        lasting: Whether it outlives this process.
    """

    uri: str
    name: str
    plugin: str
    artifact_root: str
    shared: bool = False
    journals: Path | None = None
    lasting: bool = True

    @abstractmethod
    def read(self) -> AbstractContextManager[Transaction]:
        """A transaction that sees one state of the database and does not write."""

    @abstractmethod
    def write(self) -> AbstractContextManager[Transaction]:
        """A transaction that writes: rolled back if the block raises, else committed."""

    @property
    def in_a_hurry(self) -> bool:
        """Whether this thread waits for nobody at the moment; what is not asked for is better put off then."""
        return False

    def at_once(self) -> AbstractContextManager[None] | None:
        """A block in which ``write`` waits for nobody in this thread; None where that cannot be promised."""
        return None

    def catch_up(self) -> None:
        """Do what is put off so that nobody waits for it; nothing where the engine does so by itself."""

    @abstractmethod
    def exclusive(self) -> AbstractContextManager[Transaction]:
        """A transaction for changing the schema, while nobody else writes; takes the database as it is."""

    @abstractmethod
    def plain(self) -> AbstractContextManager[Transaction]:
        """A transaction for looking at the database as it is; nothing is created or brought up to date."""

    def tidy(self) -> None:
        """Take away what ``plain`` left behind; only for a database that is known to be ours."""

    def compact(self) -> int | None:
        """Give the space of what was deleted back to the disk and say how many bytes; None if the engine does so."""
        return None

    @abstractmethod
    def definitions(self) -> Sequence[str]:
        """The statements that create all tables and indexes."""

    @abstractmethod
    def close(self) -> None:
        """Let go of all connections; closing twice does nothing."""
