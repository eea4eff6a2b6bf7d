"""A PostgreSQL database: its connections, its transactions, and changes of its schema."""

from __future__ import annotations

from contextlib import nullcontext
from functools import cache
from typing import TYPE_CHECKING, Any, ClassVar

import psycopg
from psycopg import errors
from sqlalchemy.dialects import postgresql

from dovetail_postgresql.arrays import of_arrays
from dovetail_postgresql.failures import failure, unreached
from dovetail_postgresql.words import dialect
from dovetail_sql.compiling import definitions
from dovetail_sql.server import PATIENCE, ServerDatabase
from dovetail_sql.session import ServerTransaction, Session
from dovetail_sql.storable import storable
from dovetail_sql.texts import Texts

if TYPE_CHECKING:
    from collections.abc import Sequence
    from contextlib import AbstractContextManager

    from dovetail_sql.database import Row
    from dovetail_sql.server_location import Location
    from dovetail_sql.texts import Text

__all__ = ["PostgresqlDatabase"]

_DEFAULTS = {
    "application_name": "dovetail",
    "connect_timeout": int(PATIENCE),
    # Servers notice lost clients late, and clients lost servers later still, unless they ask.
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
}
_LOCK = 0x646F7665  # "dove"; advisory locks are numbers, one set for each database
# With each transaction, in one message with its beginning, and for it alone: behind a pool that hands out connections
# by the transaction, the next one may be on another connection.
_BEGINNING = (
    "{begin}; SELECT set_config('lock_timeout', '{timeout}ms', true), "
    # Searches are short, and compiling them is not.
    "set_config('jit', 'off', true), "
    # Indexes are held in memory or on disks that do not spin.
    "set_config('random_page_cost', '1.1', true), "
    # Both change where tables are made anew, and the second also where one is emptied.
    "to_regclass('keys')::oid, pg_relation_filenode(to_regclass('keys'))"
)
_TABLES = (
    "SELECT relname FROM pg_class WHERE relkind IN ('r', 'p', 'v', 'm', 'f') "
    "AND relnamespace = current_schema()::regnamespace "
    # What an extension brought along is nobody's data.
    "AND NOT EXISTS (SELECT 1 FROM pg_depend WHERE objid = pg_class.oid AND deptype = 'e')"
)


class _Session(Session):
    """A connection.

    Args:
        raw: Psycopg's.
        timeout: Seconds to wait for a lock.
    """

    error = psycopg.Error
    begin: ClassVar = {
        "read": ("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",),
        # Each statement sees what was committed before it, which is what waiting for a lock is good for.
        "write": ("BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE",),
    }
    texts = Texts(dialect, postgresql.insert)

    def __init__(self, raw: Any, timeout: float) -> None:
        super().__init__(raw)
        self._timeout = max(1, int(timeout * 1000))
        self._tables: object = None

    def start(self, purpose: str) -> None:
        """Begin a transaction; the server's answer also says what the tables are."""
        (begin,) = self.begin[purpose]
        self.require_own()
        cursor = self.raw.cursor()
        cursor.execute(_BEGINNING.format(begin=begin, timeout=self._timeout), prepare=False)
        cursor.nextset()
        self._tables = cursor.fetchone()[-2:]

    def identity(self) -> object:
        """The numbers of the table of keys."""
        return self._tables

    def is_taken(self, error: Exception) -> bool:
        """Whether a row of that unique name or id exists."""
        return isinstance(error, errors.UniqueViolation)


class _Transaction(ServerTransaction):
    def insert(self, statement: Any, params: Any) -> int:
        """Insert one row and return its number."""
        (number,) = self._executed(self._text(statement), params).fetchone()
        return int(number)

    def listed(self, values: Sequence[Any]) -> Any:
        """A list, as an array."""
        return storable(values)

    def tables(self) -> frozenset[str]:
        """The names of all tables and views of the schema that is worked in."""
        return frozenset(name for (name,) in self.session.execute(_TABLES).fetchall())

    def _many(self, text: Text, columns: tuple[str, ...], rows: Sequence[Row]) -> int:
        """One statement for all rows: the server gets their columns as arrays."""
        arrays = dict(zip(columns, map(list, zip(*rows, strict=True)), strict=True))
        whole = of_arrays(text.construct, text.text, columns)
        return int(self.session.execute(whole, {**text.constants, **arrays}).rowcount)


class PostgresqlDatabase(ServerDatabase[_Session]):
    """A database on a PostgreSQL server.

    Args:
        place: Which one.
    """

    plugin = "dovetail-postgresql"

    def __init__(self, place: Location) -> None:
        self._options = {**_DEFAULTS, **place.options, "client_encoding": "utf8", "autocommit": True}
        super().__init__(place.uri, place.name)

    def definitions(self) -> Sequence[str]:
        """The statements that create all tables and indexes."""
        return _definitions()

    def _connect(self) -> _Session:
        return _Session(psycopg.connect(**self._options), self.timeout)

    def _transaction(self, session: _Session, *, writes: bool) -> _Transaction:
        return _Transaction(session, writes=writes)

    def _alone(self, session: _Session) -> AbstractContextManager[None]:
        del session  # see _take_over
        return nullcontext()

    def _take_over(self, transaction: ServerTransaction) -> None:
        transaction.session.execute("SELECT pg_advisory_xact_lock(%(number)s)", {"number": _LOCK})
        if ours := transaction.our_tables():
            # Readers go on; writers wait until the schema is as it is to be.
            transaction.execute(f"LOCK TABLE {', '.join(ours)} IN EXCLUSIVE MODE")

    def _failure(self, error: Exception, *, committing: bool) -> Exception:
        assert isinstance(error, psycopg.Error)  # noqa: S101 - for the type checker
        return failure(error, self.name, self.timeout, committing=committing)

    def _unreached(self, error: Exception, *, before: bool) -> Exception:
        assert isinstance(error, psycopg.Error)  # noqa: S101 - for the type checker
        return unreached(error, self.name, before=before)

    @staticmethod
    def _errors() -> type[Exception]:
        return psycopg.Error


@cache
def _definitions() -> Sequence[str]:
    return tuple(definitions("postgresql+psycopg://"))
