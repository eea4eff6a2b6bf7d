"""One connection to sqlite, and the transactions on it."""

from __future__ import annotations

import json
import re
import sqlite3
from contextlib import contextmanager
from functools import cache
from itertools import chain
from typing import TYPE_CHECKING, Any

from dovetail_sql.database import Row, Statement, Taken, Transaction
from dovetail_sql.forking import ProcessBound
from dovetail_sql.keys import Keys
from dovetail_sql.storable import Unstorable, deletes, require_storable, storable
from dovetail_sqlite.compiled import FIXED
from dovetail_sqlite.failures import is_locked, is_taken

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

__all__ = ["WRITING", "Connection", "SqliteTransaction"]

WRITING = "BEGIN IMMEDIATE"
"""Begins a transaction that writes: behind it, in write-ahead mode, nothing waits for others any more."""

_TOGETHER = 50
"""Rows of one statement where there are many: beginning a statement takes sqlite longer than writing a row. The oldest
sqlite takes 999 values at once."""
_VALUES = re.compile(r"(?<= VALUES )\(\?(?:, \?)*\)")


class Connection(ProcessBound):
    """A connection that one thread uses at a time.

    Args:
        raw: The connection of the standard library, without transactions of its own making.
        lasting: Whether it may be used again; one to an ``immutable`` file sees no later change.
        patience: Seconds that it waits for a lock.
        watch: Called with the name or text of each statement that is about to be executed.

    Attributes:
        roomy: Whether it may keep much in memory of what searches read.
    """

    raw: sqlite3.Connection

    def __init__(
        self,
        raw: sqlite3.Connection,
        *,
        lasting: bool = True,
        patience: float = 0,
        watch: Callable[[str], None] | None = None,
    ) -> None:
        super().__init__(raw)
        self._patience = self._waits = round(1000 * patience)
        self.lasting = lasting
        self.roomy = False
        self.keys = Keys()
        self.watch = watch
        self.searches = False

    @contextmanager
    def transaction(self, begin: str, *, at_once: bool = False) -> Iterator[SqliteTransaction]:
        """A transaction: committed when the block ends, rolled back when it raises.

        Args:
            begin: The statement that begins it.
            at_once: Whether to raise rather than wait for whoever holds the lock.
        """
        transaction = SqliteTransaction(self)
        self._begin(transaction, begin, at_once=at_once)
        try:
            yield transaction
            transaction.execute("COMMIT")
        except BaseException:
            self.keys.settle(committed=False)
            # After a full disk, say, sqlite has rolled back by itself.
            if not self.inherited and self.in_transaction:
                transaction.execute("ROLLBACK")
            raise
        self.keys.settle(committed=True)

    @property
    def in_transaction(self) -> bool:
        """Whether a transaction goes on."""
        try:
            return self.raw.in_transaction
        except sqlite3.ProgrammingError:  # it is closed: Ctrl-C came while the block was left, which is told of it last
            return False

    def wait(self) -> None:
        """Wait for locks again, as long as is to be waited."""
        self._wait(self._patience)

    def _wait(self, milliseconds: int) -> None:
        if self._waits != milliseconds:
            self.raw.execute(f"PRAGMA busy_timeout = {milliseconds}")
            self._waits = milliseconds

    def _begin(self, transaction: SqliteTransaction, begin: str, *, at_once: bool) -> None:
        """Begin, and if that means to wait, change how long that is no more often than need be: it takes its time."""
        if at_once:
            self._wait(0)
        elif begin != WRITING:
            self.wait()
        try:
            transaction.execute(begin)
        except sqlite3.OperationalError as error:
            if at_once or self._waits == self._patience or not is_locked(error):
                raise
            self.wait()
            transaction.execute(begin)


class SqliteTransaction(Transaction):
    """A transaction on a connection.

    Args:
        connection: Where it runs.
    """

    def __init__(self, connection: Connection) -> None:
        self.keys = connection.keys
        self._connection = connection
        self._raw = connection.raw

    def run(self, statement: Statement, params: Mapping[str, Any]) -> int:
        """Execute a statement and return how many rows it changed."""
        try:
            return self._execute(statement, params).rowcount
        except Unstorable:
            if deletes(statement):
                return 0
            raise

    def insert(self, statement: Statement, params: Mapping[str, Any]) -> int:
        """Insert one row and return its number."""
        number = self._execute(statement, params).lastrowid
        assert number is not None  # noqa: S101 - an INSERT has given one
        return number

    def many(self, statement: str, rows: Sequence[Row]) -> int:
        """Execute a fixed statement once a row."""
        self._tell(statement)
        end, changed = len(rows) - len(rows) % _TOGETHER, 0
        for start in range(0, end, _TOGETHER):
            values = list(chain.from_iterable(rows[start : start + _TOGETHER]))
            changed += self._raw.execute(_for_many(statement), values).rowcount
        if end < len(rows):
            changed += self._raw.executemany(FIXED[statement], rows[end:]).rowcount
        return changed

    def rows(self, statement: Statement, params: Mapping[str, Any]) -> list[Row]:
        """All rows a query answers with."""
        try:
            return self._execute(statement, params).fetchall()
        except Unstorable:
            return []

    def listed(self, values: Sequence[Any]) -> Any:
        """A list, as JSON."""
        return json.dumps(storable(values), ensure_ascii=False)

    def tables(self) -> frozenset[str]:
        """The names of all that is defined; sqlite's own are left out unless there is nothing else."""
        names = frozenset(str(name) for (name,) in self._raw.execute("SELECT name FROM sqlite_master"))
        return frozenset(name for name in names if not name.startswith("sqlite_")) or names

    def claim(self) -> str | None:
        """A number in the file's header by which another program knows it."""
        for pragma in ("application_id", "user_version"):
            (number,) = self._raw.execute(f"PRAGMA {pragma}").fetchone()
            if number:
                return f"{pragma} {number}"
        return None

    def execute(self, text: str) -> None:
        """Execute a statement given as text."""
        self._tell(text)
        self._raw.execute(text)

    def faults(self, *, quick: bool = False) -> Sequence[str]:
        """What sqlite finds wrong with the file, and rows that point to no rows."""
        from dovetail_sqlite.integrity import faults_of

        return faults_of(self._raw, quick=quick)

    def backup(self, version: int) -> str | None:
        """Nothing: what lies in memory alone has no past to save."""
        del version
        return None

    def _tell(self, statement: str) -> None:
        self._connection.require_own()
        if self._connection.watch is not None:
            self._connection.watch(statement)

    def _execute(self, statement: Statement, params: Mapping[str, Any]) -> sqlite3.Cursor:
        text, passed = (FIXED[statement], params) if isinstance(statement, str) else self._made(statement, params)
        require_storable(passed)
        self._tell(statement if isinstance(statement, str) else text)
        try:
            return self._raw.execute(text, passed)
        except sqlite3.IntegrityError as error:
            if is_taken(error):
                raise Taken(str(error)) from error
            raise

    def _made(self, construct: Any, params: Mapping[str, Any]) -> tuple[str, Mapping[str, Any]]:
        """The text and parameters of a search's statement; only here SQLAlchemy is imported."""
        from dovetail_sqlite.searching import make_ready, text_of

        if not self._connection.searches:
            make_ready(self._raw, roomy=self._connection.roomy)
            self._connection.searches = True
        text, constants = text_of(construct)
        return text, {**constants, **params}


@cache
def _for_many(statement: str) -> str:
    """A fixed statement for several rows at once."""
    return _VALUES.sub(lambda found: ", ".join([found[0]] * _TOGETHER), FIXED[statement])
