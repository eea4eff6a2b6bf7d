"""A database in a file: connections, locks, and what happens at its first use."""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING
from weakref import WeakSet, finalize

from dovetail import posix, uris
from dovetail.errors import StoreError, StoreUnavailable
from dovetail.interrupts import give_back
from dovetail_sql.database import Database, busy_timeout
from dovetail_sql.forking import keep
from dovetail_sql.schema import prepare
from dovetail_sqlite.compiled import DEFINITIONS
from dovetail_sqlite.connection import WRITING, Connection, SqliteTransaction
from dovetail_sqlite.failures import failure_of, is_locked, translated, unwritable
from dovetail_sqlite.forks import Gate
from dovetail_sqlite.location import uri_of
from dovetail_sqlite.modes import empty, open_existing, open_for_looking, open_for_making, tidy
from dovetail_sqlite.pooling import Pool

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from contextlib import AbstractContextManager

    from dovetail_sqlite.backup import Copy

__all__ = ["FileDatabase"]

MANY = 16
"""So many transactions are worth bringing what they wrote into the file."""
LONG_LOG = 4 << 20
"""Bytes of a write-ahead log that are worth bringing into the file, which takes some milliseconds."""
_OLDEST = (3, 24, 0)  # the first with ON CONFLICT … DO UPDATE


class FileDatabase(Database):
    """A sqlite file in write-ahead mode.

    Readers never wait for writers. Writers of one process take turns here, those of several at sqlite's lock.
    When the process forks, transactions of other threads are waited for and idle connections closed, such that the
    child can use the file like anybody else. A child forked inside a transaction can only read that file.

    Args:
        path: The file; it and its folder are made at the first use.
        watch: Called with the name or text of each statement.
    """

    plugin = "dovetail-sqlite"

    def __init__(self, path: Path, watch: Callable[[str], None] | None = None) -> None:
        if sqlite3.sqlite_version_info < _OLDEST:
            raise StoreError(
                f"This Python has sqlite {sqlite3.sqlite_version}; dovetail-sqlite needs 3.24 or newer.",
                hint="Use a newer Python, or one built with a newer sqlite.",
            )
        self.path, self.uri, self.name = path, uri_of(path), str(path)
        self.artifact_root = uris.uri_of(path.parent / "dovetail-artifacts")
        # Beside the file itself: whoever opens it by another name is to find them, too.
        place = path.resolve() if path.is_symlink() else path
        self.journals = place.with_name(f"{place.name}.journals")
        self._timeout = busy_timeout()
        self._hurry = _Hurry()
        self._near: bool | None = None  # whether it lies on this machine, as far as that is known
        self._watch = watch
        self._begin_anew()
        _databases.add(self)

    def _begin_anew(self) -> None:
        self._pool = self._new_pool()
        self._file: tuple[int, int] | None = None
        self._ahead, self._unwritten = False, 0
        # It knows whose turn it is: Ctrl-C may come right behind taking it, and it is given back all the same. So is
        # that of a transaction in the midst of which the handler of a signal writes: it is sqlite's lock that keeps
        # writers apart, turns are there to be fair.
        self._turn = threading.RLock()
        self._preparing = threading.Lock()

    # --- transactions ----------------------------------------------------------------------------------------

    @contextmanager
    def read(self) -> Iterator[SqliteTransaction]:
        """A transaction that sees one state of the database."""
        with self._passing(), self._connected() as connection, connection.transaction("BEGIN") as transaction:
            yield transaction

    @contextmanager
    def write(self) -> Iterator[SqliteTransaction]:
        """A transaction that writes; whoever holds the lock is waited for, at most the busy timeout."""
        _require_unentangled(self.path)
        at_once, turn = self._hurry.at_once, self._turn
        try:
            self._take(turn, 0 if at_once else self._timeout)
            # Not the other way round: who waits for a turn holds up no fork.
            with (
                self._passing(),
                self._connected() as connection,
                connection.transaction(WRITING, at_once=at_once) as transaction,
            ):
                yield transaction
        finally:
            self._unwritten += 1
            give_back(turn)

    @property
    def in_a_hurry(self) -> bool:
        """Whether this thread waits for nobody at the moment."""
        return self._hurry.at_once

    def at_once(self) -> AbstractContextManager[None] | None:
        """A block in which ``write`` waits for nobody; None where more than a lock may have to be waited for.

        That is a file on a network, or on a system of which that is not known (than Linux), or one without a
        write-ahead log, of which readers hold up writers.
        """
        return self._hurry.on() if self._ahead and self._is_near() else None

    def _is_near(self) -> bool:
        if self._near is None:
            with suppress(OSError):  # the folder is gone
                self._near = posix.can_map(self.path.parent)
        return bool(self._near)

    def catch_up(self) -> None:
        """Bring into the file what lies in the write-ahead log, if that is much.

        It takes milliseconds and waits for the disk; whoever commits does it only if the log is several times as long.
        """
        try:
            # It stays as long as it ever was; where nothing was written since, there is nothing to bring.
            due = self._unwritten >= MANY and self._log().stat().st_size >= LONG_LOG
        except OSError:
            return
        if due:
            self._unwritten = 0
            with self._passing(), self._connected() as connection:
                # Neither readers nor writers wait for it, nor it for them: it goes as far as it can.
                SqliteTransaction(connection).execute("PRAGMA wal_checkpoint(PASSIVE)")

    def _log(self) -> Path:
        return self.path.with_name(f"{self.path.name}-wal")

    @contextmanager
    def plain(self) -> Iterator[SqliteTransaction]:
        """A transaction on the file as it is, or on an empty one if there is none."""
        with self._passing(), self._translated():
            raw = open_for_looking(self.path, self._timeout) if self._exists() else empty()
            with self._closing(raw) as connection, connection.transaction("BEGIN") as transaction:
                yield transaction

    @contextmanager
    def exclusive(self) -> Iterator[SqliteTransaction]:
        """A transaction for making or changing the schema; the file is in write-ahead mode afterwards."""
        _require_unentangled(self.path)
        self._make_folder()
        with self._passing(), self._translated(), self._closing(self._made()) as connection:
            changes = _SchemaTransaction(connection, self.path, self._timeout)
            # Shuts out writers and lets readers in, which the backup is one of.
            with changes.keeping_backups(), _writing(connection):
                yield changes
                _check_references(connection.raw)
            self._write_ahead(connection.raw)

    def tidy(self) -> None:
        """Take away what looking left beside the file."""
        with self._passing(), self._translated():
            tidy(self.path, self._timeout)

    def compact(self) -> int | None:
        """Write the file anew without what was deleted: nobody else can write meanwhile, and it takes as much space."""
        _require_unentangled(self.path)
        turn = self._turn
        try:
            self._take(turn, self._timeout)
            with self._passing(), self._connected() as connection:
                connection.wait()
                before = self._size_without_log(connection)
                connection.raw.execute("VACUUM")
                return max(0, before - self._size_without_log(connection))
        finally:
            give_back(turn)

    def _size_without_log(self, connection: Connection) -> int:
        """Bytes of the file, with all in it that lies in the write-ahead log."""
        connection.raw.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        return self.path.stat().st_size

    def definitions(self) -> Sequence[str]:
        """The statements that create all tables and indexes."""
        return DEFINITIONS

    def close(self) -> None:
        """Close all connections that are not in use; those that are follow when they are given back."""
        with self._passing():
            self._pool.close()
            self._begin_anew()

    # --- connections -----------------------------------------------------------------------------------------

    @contextmanager
    def _connected(self) -> Iterator[Connection]:
        # As in _translated, with one block less: everything that is done here comes through.
        try:
            pool = self._ready_pool()
            connection = pool.take() or pool.added(self._open())
            try:
                yield connection
            finally:
                pool.give(connection)
        except sqlite3.Error as error:
            waited = 0 if self._hurry.at_once else self._timeout
            raise failure_of(error, self.name, self.path, waited) from error

    def _ready_pool(self) -> Pool:
        """The pool of connections to the file that is there now, its schema made and up to date."""
        if self._file is not None and self._file == _identity(self.path):
            return self._pool
        with self._preparing:
            if self._file is None or self._file != _identity(self.path):
                # The file is new to us, or was removed or replaced: connections to the old one lead nowhere.
                self._pool.close()
                self._pool = self._new_pool()
                prepare(self)
                self._file = _identity(self.path)
            return self._pool

    def _new_pool(self) -> Pool:
        pool = Pool()
        # Also when nobody calls close(): the last connection to go tidies up the files beside the database.
        finalize(self, pool.close)
        return pool

    def _open(self) -> Connection:
        raw, lasting = open_existing(self.path, self._timeout)
        (mode,) = raw.execute("PRAGMA journal_mode").fetchone()
        self._ahead = mode == "wal"
        return Connection(raw, lasting=lasting, patience=self._timeout, watch=self._watch)

    def _made(self) -> sqlite3.Connection:
        return open_for_making(self.path, self._timeout)

    @contextmanager
    def _closing(self, raw: sqlite3.Connection) -> Iterator[Connection]:
        connection = Connection(raw, watch=self._watch)
        try:
            yield connection
        finally:
            connection.close()

    def _passing(self) -> AbstractContextManager[None]:
        return _gate.passing(self.name)

    def _translated(self) -> AbstractContextManager[None]:
        return translated(self.name, self.path, self._timeout)

    # --- steps -----------------------------------------------------------------------------------------------

    def _take(self, turn: threading.RLock, timeout: float) -> None:
        """Take the turn of this thread, until it is given back: writers of one process write one after the other."""
        if not turn.acquire(timeout=timeout):
            raise StoreUnavailable(
                f"{self.name} stayed in use by another thread for {timeout:g} s.",
                hint="Wait longer with DOVETAIL_BUSY_TIMEOUT=<seconds>.",
            )

    def _exists(self) -> bool:
        try:
            return self.path.stat().st_size > 0
        except FileNotFoundError:
            return False
        except OSError as error:
            raise unwritable(self.path.parent, error) from error

    def _make_folder(self) -> None:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise unwritable(self.path.parent, error) from error

    def _write_ahead(self, raw: sqlite3.Connection) -> None:
        """Switch the file to write-ahead mode; sqlite does not wait by itself for those who are reading it."""
        deadline = time.monotonic() + self._timeout
        while not self._switched(raw, deadline):
            time.sleep(0.01)

    def _switched(self, raw: sqlite3.Connection, deadline: float) -> bool:
        try:
            # Where the file system cannot share memory, sqlite keeps the mode it has, which is only slower.
            raw.execute("PRAGMA journal_mode = WAL").fetchone()
        except sqlite3.OperationalError as error:
            if not is_locked(error) or time.monotonic() >= deadline:
                raise
            return False
        return True


class _Hurry(threading.local):
    """Whether a thread waits for nobody at the moment."""

    at_once = False

    @contextmanager
    def on(self) -> Iterator[None]:
        """It does not within the block."""
        before, self.at_once = self.at_once, True
        try:
            yield
        finally:
            self.at_once = before


class _SchemaTransaction(SqliteTransaction):
    """A transaction that can save a copy of the file before it changes it."""

    def __init__(self, connection: Connection, path: Path, timeout: float) -> None:
        super().__init__(connection)
        self._path = path
        self._timeout = timeout
        self._copies: list[Copy] = []

    def backup(self, version: int) -> str | None:
        """Copy the file to ``<file>.v<version>-backup`` beside it, unless there is an equal copy."""
        from dovetail_sqlite.backup import copy_of

        self._copies.append(copy_of(self._path, version, self._timeout))
        return str(self._copies[-1].path)

    @contextmanager
    def keeping_backups(self) -> Iterator[None]:
        """Keep the copies that are made only if the block succeeds; else the file is what they are."""
        try:
            yield
        except BaseException:
            for copy in self._copies:
                if copy.new:
                    copy.path.unlink(missing_ok=True)
            raise


def _identity(path: Path) -> tuple[int, int] | None:
    """Which file lies at a path; None if there is none."""
    try:
        status = os.stat(path)  # noqa: PTH116 - with each transaction
    except OSError:
        return None
    return status.st_dev, status.st_ino


def _writing(connection: Connection) -> AbstractContextManager[SqliteTransaction]:
    return connection.transaction(WRITING)


def _check_references(raw: sqlite3.Connection) -> None:
    # Migrations run with foreign keys unchecked, since rebuilding a table would trip over them.
    broken = raw.execute("PRAGMA foreign_key_check").fetchone()
    if broken is not None:
        raise StoreError(f"The schema was not changed: rows of {broken[0]} would point to no rows of {broken[2]}.")


def _require_unentangled(path: Path) -> None:
    if _entangled and _identity(path) in _entangled:
        raise StoreError(
            f"{path} cannot be written by this process: it was forked in the middle of a transaction on that file.",
            hint="Fork outside of transactions, or start processes by multiprocessing's method 'spawn'.",
        )


_gate = Gate()
_databases: WeakSet[FileDatabase] = WeakSet()
_entangled: set[tuple[int, int] | None] = set()
"""Files whose locks sqlite has noted wrongly in this process, for good."""


def _rest() -> None:
    """Before a fork: let go of all files."""
    _gate.shut()
    for database in list(_databases):
        database._pool.rest()  # noqa: SLF001


def _leave_inherited() -> None:
    """In a forked child: keep away from the parent's connections, never even close them.

    Two processes on one connection damage the file, and closing would tidy up files the parent still uses.
    """
    _entangled.update(_identity(Path(path)) for path in _gate.begin_anew())
    _entangled.discard(None)
    for database in list(_databases):
        keep(database._pool)  # noqa: SLF001
        database._begin_anew()  # noqa: SLF001


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_rest, after_in_parent=_gate.reopen, after_in_child=_leave_inherited)
