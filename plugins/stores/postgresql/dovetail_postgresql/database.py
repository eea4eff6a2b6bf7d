"""A PostgreSQL database: its connections, its transactions, and changes of its schema."""

from __future__ import annotations

import re
from contextlib import nullcontext
from functools import cache
from typing import TYPE_CHECKING, Any, ClassVar

import psycopg
from psycopg import errors
from sqlalchemy.dialects import postgresql

from dovetail_postgresql.failures import failure, unreached
from dovetail_postgresql.words import dialect
from dovetail_sql.compiling import definitions
from dovetail_sql.server import PATIENCE, ServerDatabase
from dovetail_sql.session import ServerTransaction, Session
from dovetail_sql.texts import Texts

if TYPE_CHECKING:
    from collections.abc import Sequence
    from contextlib import AbstractContextManager

    from sqlalchemy import Table

    from dovetail_sql.database import Row
    from dovetail_sql.server_location import Location
    from dovetail_sql.texts import Text

__all__ = ["PostgresqlDatabase"]

_LOCK = 0x646F7665  # "dove"; advisory locks are numbers, one set for each database
_SETTINGS = (
    "SELECT set_config('lock_timeout', %(lock_timeout)s, false), "
    # Searches are short, and compiling them is not.
    "set_config('jit', 'off', false), "
    # Indexes are held in memory or on disks that do not spin.
    "set_config('random_page_cost', '1.1', false)"
)
_TABLES = (
    "SELECT relname FROM pg_class WHERE relkind IN ('r', 'p', 'v', 'm', 'f') "
    "AND relnamespace = current_schema()::regnamespace "
    # What an extension brought along is nobody's data.
    "AND NOT EXISTS (SELECT 1 FROM pg_depend WHERE objid = pg_class.oid AND deptype = 'e')"
)
_ROW = re.compile(r"VALUES \((?:%\(\w+\)s(?:::[\w ]+)?(?:, )?)+\)")
_NAME = re.compile(r"%\((\w+)\)s")
_ARRAYS = {int: "int8[]", float: "float8[]", str: "text[]", bytes: "bytea[]"}


class _Session(Session):
    error = psycopg.Error
    begin: ClassVar = {
        "read": ("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",),
        # Each statement sees what was committed before it, which is what waiting for a lock is good for.
        "write": ("BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE",),
    }
    texts = Texts(dialect, postgresql.insert)

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
        return list(values)

    def tables(self) -> frozenset[str]:
        """The names of all tables and views of the schema that is worked in."""
        return frozenset(name for (name,) in self.session.execute(_TABLES).fetchall())

    def _many(self, text: Text, columns: tuple[str, ...], rows: Sequence[Row]) -> int:
        """One statement for all rows where it is an insertion: the server gets its columns as arrays."""
        whole = _of_arrays(text.text, text.construct.table, columns)
        if whole is None:
            cursor = self.session.raw.cursor()
            cursor.executemany(text.text, [text.passed(dict(zip(columns, row, strict=True))) for row in rows])
            return int(cursor.rowcount)
        arrays = dict(zip(columns, map(list, zip(*rows, strict=True)), strict=True))
        return int(self.session.execute(whole, {**text.constants, **arrays}).rowcount)


class PostgresqlDatabase(ServerDatabase[_Session]):
    """A database on a PostgreSQL server.

    Args:
        place: Which one.
    """

    plugin = "dovetail-postgresql"

    def __init__(self, place: Location) -> None:
        self._options = {"application_name": "dovetail", "connect_timeout": int(PATIENCE), **place.options}
        super().__init__(place.uri, place.name)

    def definitions(self) -> Sequence[str]:
        """The statements that create all tables and indexes."""
        return _definitions()

    def _connect(self) -> _Session:
        # Servers notice lost clients late, and clients lost servers later still, unless they ask.
        raw = psycopg.connect(
            **{"keepalives_idle": 30, "keepalives_interval": 10, "keepalives_count": 3, **self._options},
            autocommit=True,
            client_encoding="utf8",
        )
        session = _Session(raw)
        try:
            session.execute(_SETTINGS, {"lock_timeout": f"{max(1, int(self.timeout * 1000))}ms"})
        except BaseException:
            session.close()
            raise
        return session

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


@cache
def _of_arrays(text: str, table: Table, columns: tuple[str, ...]) -> str | None:
    """An insertion of one row of parameters as one of as many rows as its parameters, now arrays, are long.

    None if the statement is no insertion of these parameters alone.
    """
    row = _ROW.search(text)
    if row is None or not text.startswith("INSERT") or tuple(_NAME.findall(row[0])) != columns:
        return None
    arrays = ", ".join(f"%({name})s::{_ARRAYS[table.c[name].type.python_type]}" for name in columns)
    return f"{text[: row.start()]}SELECT * FROM unnest({arrays}){text[row.end() :]}"  # noqa: S608 - of our own pieces
