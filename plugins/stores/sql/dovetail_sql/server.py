"""A database on a server: connections, and what happens at its first use."""

from __future__ import annotations

import os
import threading
from abc import abstractmethod
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar
from weakref import WeakSet, finalize

from dovetail import uris
from dovetail.errors import StoreUnavailable
from dovetail_sql import server_failures as failures
from dovetail_sql.database import Database, Taken, busy_timeout
from dovetail_sql.forking import keep
from dovetail_sql.pooling import Pool
from dovetail_sql.retrying import Displaced, Lost, Retry, Unsure
from dovetail_sql.schema import check, prepare
from dovetail_sql.session import ServerTransaction, Session

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["PATIENCE", "ServerDatabase"]

PATIENCE = 10.0
"""Seconds to wait for a server that does not answer at all."""

S = TypeVar("S", bound=Session)


class ServerDatabase(Database, Generic[S]):
    """A database that processes on many machines share.

    Writers work at the same time and lock what they change (see ``locking``), and the store's methods begin again
    where they were in each other's way (see ``retrying``). The schema is made at the first use, and upgraded only
    when somebody asks for that: other processes may be using it.

    Args:
        uri: Where it is, with all that it takes to get in.
        name: What messages call it; no password.
    """

    shared = True

    def __init__(self, uri: str, name: str) -> None:
        self.uri, self.name = uri, name
        self.artifact_root = uris.uri_of(Path.cwd() / "dovetail-artifacts")
        self.timeout = busy_timeout()
        self.retry = Retry(self.timeout)
        self._reached = False
        self._prepared = False
        self._worked = False
        self._begin_anew()
        _databases.add(self)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name}>"

    def _begin_anew(self) -> None:
        self._preparing = threading.Lock()
        self._pool: Pool[S] = Pool(self.name, self.timeout)
        # Also when nobody calls close().
        finalize(self, self._pool.close)

    # --- transactions ----------------------------------------------------------------------------------------

    @contextmanager
    def read(self) -> Iterator[ServerTransaction]:
        """A transaction that sees one state of the database."""
        self._prepare()
        with self._pooled() as session, self._begun(session, "read") as transaction:
            yield transaction

    @contextmanager
    def write(self) -> Iterator[ServerTransaction]:
        """A transaction that writes; whoever holds a lock is waited for, at most the busy timeout."""
        self._prepare()
        with self._pooled() as session, self._begun(session, "write") as transaction:
            yield transaction

    @contextmanager
    def plain(self) -> Iterator[ServerTransaction]:
        """A transaction on the database as it is; where that can be seen half made, its makers are waited for."""
        with self._pooled() as session, self._alone(session), self._begun(session, "read") as transaction:
            yield transaction

    @contextmanager
    def exclusive(self) -> Iterator[ServerTransaction]:
        """A transaction for making or changing the schema; of several, one after the other."""
        with self._pooled() as session, self._alone(session), self._begun(session, "write") as transaction:
            self._take_over(transaction)
            yield transaction

    def close(self) -> None:
        """Close all connections that are not in use; those that are follow when they are given back."""
        self._pool.close()
        self._begin_anew()

    # --- what engines differ in ------------------------------------------------------------------------------

    @abstractmethod
    def _connect(self) -> S:
        """Open a connection; the driver's errors are let through."""

    @abstractmethod
    def _transaction(self, session: S, *, writes: bool) -> ServerTransaction:
        """The transaction that was begun on a connection."""

    @abstractmethod
    def _alone(self, session: S) -> Any:
        """Keep others from changing the schema for the length of a ``with`` block, where transactions alone do not."""

    @abstractmethod
    def _take_over(self, transaction: ServerTransaction) -> None:
        """Make ready for changes of the schema in a transaction that was just begun."""

    @abstractmethod
    def _failure(self, error: Exception, *, committing: bool) -> Exception:
        """What an error of the driver is among dovetail's."""

    @abstractmethod
    def _unreached(self, error: Exception, *, before: bool) -> Exception:
        """Why a connection could not be opened.

        Args:
            error: What the driver says.
            before: Whether there has been one.
        """

    # --- steps -----------------------------------------------------------------------------------------------

    def _prepare(self) -> None:
        if self._prepared:
            return
        with self._preparing:
            if not self._prepared:
                self._require_kept()
                prepare(self)
                self._prepared = self._worked = True

    def _require_kept(self) -> None:
        """Raise if there were tables and now are none: nobody who works with a database expects an empty one."""
        if self._worked and check(self).version == 0:
            raise StoreUnavailable(
                f"{self.name} has lost its tables since this process began to use it.",
                hint="Restore them from a backup. A process that is started now makes new, empty ones.",
            )

    def _opened(self) -> S:
        try:
            session = self._connect()
        except self._errors() as error:
            raise self._unreached(error, before=self._reached) from error
        except (OSError, TypeError, ValueError, ArithmeticError, RuntimeError) as error:
            # What drivers make of parameters that they cannot use.
            raise failures.unconnectable(self.name, error) from error
        self._reached = True
        return session

    @contextmanager
    def _pooled(self) -> Iterator[S]:
        pool = self._pool
        session = pool.take(self._opened)
        try:
            yield session
        except session.error as error:
            raise self._concluded(self._failure(error, committing=session.committing), session) from error
        except Taken as error:
            # Of a statement for which the store has no better word.
            raise failures.met(self.name) from error
        finally:
            if session.keys.outdated:
                session.keys.outdated, self._prepared = False, False
            pool.give(session)

    def _concluded(self, failure: Exception, session: S) -> Exception:
        """The same failure, once what it says of connections and tables counts for the next attempt."""
        if isinstance(failure, (Lost, Unsure, Displaced)):
            session.abandon()
            self._pool.empty()
        if isinstance(failure, Displaced):
            self._prepared = False
        return failure

    @contextmanager
    def _begun(self, session: S, purpose: str) -> Iterator[ServerTransaction]:
        try:
            session.start(purpose)
            yield self._transaction(session, writes=purpose == "write")
        except BaseException:
            session.roll_back()
            raise
        session.commit()

    @staticmethod
    @abstractmethod
    def _errors() -> type[Exception]:
        """What all errors of the driver are."""


_databases: WeakSet[ServerDatabase[Any]] = WeakSet()


def _leave_inherited() -> None:
    """In a forked child: keep away from the parent's connections, never even close them."""
    for database in list(_databases):
        keep(database._pool)  # noqa: SLF001
        database._begin_anew()  # noqa: SLF001


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_leave_inherited)
