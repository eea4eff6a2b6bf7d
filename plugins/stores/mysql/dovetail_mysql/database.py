"""A MySQL or MariaDB database: its connections, its transactions, and changes of its schema."""

from __future__ import annotations

from collections import defaultdict
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any, ClassVar

import pymysql
from pymysql.converters import conversions

from dovetail.errors import StoreError, StoreUnavailable
from dovetail.values import DEFAULT_EXPERIMENT_ID
from dovetail_mysql.bound import BoundedConnection
from dovetail_mysql.failures import code_of, failure, unreached
from dovetail_mysql.words import MysqlTexts, Putting, dialect
from dovetail_sql.compiling import definitions
from dovetail_sql.server import PATIENCE, ServerDatabase
from dovetail_sql.session import ServerTransaction, Session
from dovetail_sql.storable import storable
from dovetail_sql.tables import metadata

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from dovetail_sql.database import Row, Statement
    from dovetail_sql.server_location import Location
    from dovetail_sql.texts import Text

__all__ = ["MysqlDatabase"]

_TAKEN, _NULL = 1062, 1048
_OLDEST = {"MySQL": (8, 0, 17), "MariaDB": (10, 6, 0)}
# Compare by code point, trailing spaces included.
_COLLATION = {"MySQL": "utf8mb4_0900_bin", "MariaDB": "utf8mb4_nopad_bin"}
_SETTINGS = (
    "SET NAMES utf8mb4 COLLATE {collation}, "
    # 0 is an id like others; what does not fit is an error; text is quoted as the driver does.
    "SESSION sql_mode = 'STRICT_ALL_TABLES,NO_AUTO_VALUE_ON_ZERO,NO_ENGINE_SUBSTITUTION', "
    "SESSION innodb_lock_wait_timeout = {timeout}, SESSION lock_wait_timeout = {timeout}, "
    # Long texts are sorted by all of their characters.
    "SESSION max_sort_length = 32768"
)
# Each statement sees what was committed before it, which is what waiting for a lock is good for.
_ISOLATION = "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED"
_LOCK = "CONCAT('dovetail.', MD5(DATABASE()))"
_TABLES = "SELECT table_name FROM information_schema.tables WHERE table_schema = DATABASE()"
_COLUMNS = (
    "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = DATABASE() "
    "ORDER BY table_name, ordinal_position"
)
_MADE = (
    "SELECT (SELECT creation_time FROM experiments WHERE id = %(first)s), "
    "(SELECT create_time FROM information_schema.tables WHERE table_schema = DATABASE() AND table_name = 'keys')"
)
_FIRST = "journal_writers"
"""The table that is made first and dropped last: where it is, the others are ours, too."""


class _Nothing:
    """A list without members."""


def _no_members(nothing: _Nothing, mapping: Any = None) -> str:
    del nothing, mapping
    return "(SELECT NULL FROM DUAL WHERE FALSE)"


_OPTIONS = {
    "charset": "utf8mb4",
    "autocommit": True,
    "conv": {**conversions, _Nothing: _no_members},
    "binary_prefix": True,
}


class _Session(Session):
    error = pymysql.MySQLError
    begin: ClassVar = {
        "read": (
            "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ",
            "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY",
        ),
        "write": ("START TRANSACTION",),
    }
    texts = MysqlTexts(dialect, Putting)

    @property
    def product(self) -> str:
        """``MySQL`` or ``MariaDB``."""
        return "MariaDB" if "mariadb" in self.raw.get_server_info().lower() else "MySQL"

    def identity(self) -> object:
        """When the tables were made: the first row by the millisecond, and the table of keys by the second."""
        return self.execute(_MADE, {"first": int(DEFAULT_EXPERIMENT_ID)}).fetchone()

    def is_taken(self, error: Exception) -> bool:
        """Whether a row of that unique name or id exists."""
        return code_of(error) == _TAKEN


class _Transaction(ServerTransaction):
    def run(self, statement: Statement, params: Mapping[str, Any]) -> int:
        """Execute a statement and return how many rows it changed."""
        try:
            return super().run(statement, params)
        except pymysql.MySQLError as error:
            construct = self._text(statement).construct
            if code_of(error) == _NULL and isinstance(construct, Putting) and construct.single is not None:
                return 0  # the condition did not hold
            raise

    def insert(self, statement: Statement, params: Mapping[str, Any]) -> int:
        """Insert one row and return its number."""
        return int(self._executed(self._text(statement), params).lastrowid)

    def listed(self, values: Sequence[Any]) -> Any:
        """A list, which the driver writes out."""
        return tuple(storable(values)) or _Nothing()

    def tables(self) -> frozenset[str]:
        """The names of all tables and views."""
        return frozenset(str(name) for (name,) in self.session.execute(_TABLES).fetchall())

    def execute(self, text: str) -> None:
        """Execute a statement given as text; one that defines something ends the transaction, so another begins."""
        super().execute(text)
        self.session.start("write")

    def unfinished(self) -> bool:
        """Whether there are only tables of ours, with no row in any: the version is noted last of all.

        A table of somebody else may have the name of one of ours, but not the same columns beside our first table.
        """
        ours = self._columns()
        if _FIRST not in ours or any(columns != _columns_of(name) for name, columns in ours.items()):
            return False
        rows = " UNION ALL ".join(f"SELECT EXISTS (SELECT 1 FROM `{name}`)" for name in ours)  # noqa: S608 - our own names
        return not any(there for (there,) in self.session.execute(rows).fetchall())

    def _columns(self) -> dict[str, list[str]]:
        """The names of the columns of all tables and views, by table."""
        found: defaultdict[str, list[str]] = defaultdict(list)
        for table, column in self.session.execute(_COLUMNS).fetchall():
            found[table].append(column)
        return found

    def _many(self, text: Text, columns: tuple[str, ...], rows: Sequence[Row]) -> int:
        """The driver makes one statement of many rows."""
        cursor = self.session.raw.cursor()
        cursor.executemany(text.text, [text.passed(dict(zip(columns, row, strict=True))) for row in rows])
        return int(cursor.rowcount)


class MysqlDatabase(ServerDatabase[_Session]):
    """A database on a MySQL or MariaDB server.

    Args:
        place: Which one.
    """

    plugin = "dovetail-mysql"

    def __init__(self, place: Location) -> None:
        self._options = {"connect_timeout": int(PATIENCE), **place.options, **_OPTIONS}
        self._product = "MySQL"
        super().__init__(place.uri, place.name)

    def definitions(self) -> Sequence[str]:
        """The statements that create all tables and indexes."""
        return _definitions(self._product)

    def _connect(self) -> _Session:
        raw = BoundedConnection(**self._options)
        session = _Session(raw)
        try:
            raw.ask_bound()
            self._product = session.product
            self._require_new(raw.get_server_info())
            timeout = max(1, int(self.timeout))
            session.execute(_SETTINGS.format(collation=_COLLATION[session.product], timeout=timeout))
            session.execute(_ISOLATION)
        except BaseException:
            session.close()
            raise
        return session

    def _require_new(self, version: str) -> None:
        numbers = version.removeprefix("5.5.5-").partition("-")[0].split(".")
        oldest = _OLDEST[self._product]
        if tuple(int(number) for number in numbers[:3] if number.isdecimal()) < oldest:
            wanted = ".".join(map(str, oldest))
            raise StoreError(
                f"{self.name} is on {self._product} {'.'.join(numbers)}; dovetail-mysql needs {wanted} or newer.",
                hint="Use a newer server.",
            )

    def _transaction(self, session: _Session, *, writes: bool) -> _Transaction:
        return _Transaction(session, writes=writes)

    @contextmanager
    def _alone(self, session: _Session) -> Iterator[None]:
        (got,) = session.execute(f"SELECT GET_LOCK({_LOCK}, %(timeout)s)", {"timeout": self.timeout}).fetchone()
        if not got:
            raise StoreUnavailable(
                f"The schema of {self.name} stayed locked by another process for {self.timeout:g} s.",
                hint="See which process upgrades it, or wait longer with DOVETAIL_BUSY_TIMEOUT=<seconds>.",
            )
        try:
            yield
        finally:
            # On a connection that was lost, the server has let go of it.
            if session.sound:
                session.execute(f"DO RELEASE_LOCK({_LOCK})")

    def _take_over(self, transaction: ServerTransaction) -> None:
        if not transaction.unfinished():
            return
        # Those that refer to others before them, and what says that they are ours at the end.
        names = [table.name for table in reversed(metadata.sorted_tables) if table.name != _FIRST]
        for name in (*names, _FIRST):
            transaction.execute(f"DROP TABLE IF EXISTS `{name}`")

    def _failure(self, error: Exception, *, committing: bool) -> Exception:
        assert isinstance(error, pymysql.MySQLError)  # noqa: S101 - for the type checker
        return failure(error, self.name, self.timeout, committing=committing)

    def _unreached(self, error: Exception, *, before: bool) -> Exception:
        assert isinstance(error, pymysql.MySQLError)  # noqa: S101 - for the type checker
        return unreached(error, self.name, before=before)

    @staticmethod
    def _errors() -> type[Exception]:
        errors: type[Exception] = pymysql.MySQLError
        return errors


@cache
def _definitions(product: str) -> Sequence[str]:
    # Where a column says nothing, the table does; the server's own defaults may be anything.
    whole = f" ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARSET=utf8mb4 COLLATE={_COLLATION[product]}"
    texts = definitions(f"{product.lower()}+pymysql://")
    texts.sort(key=lambda text: not text.startswith(f"CREATE TABLE {_FIRST} "))
    return tuple(text + whole if text.startswith("CREATE TABLE") else text for text in texts)


def _columns_of(table: str) -> list[str]:
    """The names of the columns that a table of ours of this name has; none if there is no such table."""
    known = metadata.tables.get(table)
    return [] if known is None else list(known.c.keys())
