"""One connection to a server, and the transactions on it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar

from dovetail_sql.database import Row, Statement, Taken, Transaction
from dovetail_sql.forking import ProcessBound
from dovetail_sql.keys import SharedKeys
from dovetail_sql.statements import MANY
from dovetail_sql.storable import Unstorable, deletes, require_storable
from dovetail_sql.tables import metadata

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dovetail_sql.texts import Text, Texts

__all__ = ["ServerTransaction", "Session"]


class Session(ProcessBound, ABC):
    """A connection that one thread uses at a time, as far as drivers of the Python database API differ.

    Args:
        raw: The driver's connection; it commits by itself what no transaction was begun for.

    Attributes:
        error: What all errors of the driver are.
        begin: The statements that begin a transaction, by what it is for: ``read`` or ``write``.
        texts: The engine's statements.
        committing: Whether the server was told to commit and has not answered.
    """

    error: ClassVar[type[Exception]]
    begin: ClassVar[Mapping[str, Sequence[str]]]
    texts: Texts

    def __init__(self, raw: Any) -> None:
        super().__init__(raw)
        self.keys = SharedKeys(self.identity)
        self.committing = False
        self._broken = False

    @property
    def sound(self) -> bool:
        """Whether the next transaction may begin on it."""
        return not (self.inherited or self._broken or self.committing)

    def alive(self) -> bool:
        """Ask the server whether it still knows this connection."""
        try:
            self.execute("SELECT 1")
        except self.error:
            return False
        return True

    def execute(self, text: str, params: Mapping[str, Any] | None = None) -> Any:
        """Execute a statement and return the driver's cursor."""
        self.require_own()
        cursor = self.raw.cursor()
        cursor.execute(text, params)
        return cursor

    def start(self, purpose: str) -> None:
        """Begin a transaction."""
        for text in self.begin[purpose]:
            self.execute(text)

    def commit(self) -> None:
        """End the transaction and keep what it wrote."""
        self.committing = True
        self.execute("COMMIT")
        self.committing = False
        self.keys.settle(committed=True)

    def roll_back(self) -> None:
        """End the transaction and keep nothing of it; what cannot even do that is not used again."""
        self.keys.settle(committed=False)
        if self.inherited:
            return
        try:
            self.execute("ROLLBACK")
        except self.error:
            # The connection is gone, and the server has rolled back.
            self._broken = True

    def abandon(self) -> None:
        """See that it is not used again."""
        self._broken = True

    @abstractmethod
    def identity(self) -> object:
        """What tells the tables that a transaction works with from any that had or will have their names."""

    @abstractmethod
    def is_taken(self, error: Exception) -> bool:
        """Whether an error of the driver says that a row of that unique name or id exists."""


class ServerTransaction(Transaction):
    """A transaction on a connection to a server.

    Args:
        session: The connection.
        writes: Whether it writes; then it locks what it reads, as ``locking.LOCKS`` says.
    """

    lists_first = True

    def __init__(self, session: Session, *, writes: bool) -> None:
        self.session = session
        self.keys = session.keys
        self._writes = writes
        self._texts = session.texts

    def run(self, statement: Statement, params: Mapping[str, Any]) -> int:
        """Execute a statement and return how many rows it changed."""
        try:
            return int(self._executed(self._text(statement), params).rowcount)
        except Unstorable:
            if deletes(statement):
                return 0
            raise

    def many(self, statement: str, rows: Sequence[Row]) -> int:
        """Execute a fixed statement once a row."""
        if not rows:
            return 0
        try:
            return self._many(self._texts.named(statement), MANY[statement], _in_order(statement, rows))
        except self.session.error as error:
            raise self._taken(error) from error

    def rows(self, statement: Statement, params: Mapping[str, Any]) -> list[Row]:
        """All rows a query answers with."""
        text = self._text(statement)
        try:
            return text.answered(self._executed(text, params).fetchall())
        except Unstorable:
            return []

    def execute(self, text: str) -> None:
        """Execute a statement given as text."""
        self.session.execute(text)

    def backup(self, version: int) -> str | None:
        """Nothing: those who run a server see to its backups."""
        del version
        return None

    def our_tables(self) -> list[str]:
        """The names of the tables of this release that are there."""
        return sorted(self.tables() & metadata.tables.keys())

    @abstractmethod
    def _many(self, text: Text, columns: tuple[str, ...], rows: Sequence[Row]) -> int:
        """Execute a statement for many rows, at least one."""

    def _text(self, statement: Statement) -> Text:
        if isinstance(statement, str):
            return self._texts.named(statement, locking=self._writes)
        return self._texts.of(statement)

    def _executed(self, text: Text, params: Mapping[str, Any]) -> Any:
        require_storable(params)
        try:
            return self.session.execute(text.text, text.passed(params))
        except self.session.error as error:
            raise self._taken(error) from error

    def _taken(self, error: Exception) -> Exception:
        return Taken(str(error)) if self.session.is_taken(error) else error


def _in_order(statement: str, rows: Sequence[Row]) -> Sequence[Row]:
    """Rows in an order that all have in common, lest two writers wait for each other's keys."""
    return sorted(rows, key=tuple) if statement == "add_key" else rows
