"""Writing a journal: records appended to a file that is mapped into memory, so that a record costs a copy.

What stands in the mapping belongs to the system: it is in the file however the process ends. Room is allocated before
it is mapped, since touching a page that the disk has no room for would end the process. Where room cannot be
allocated, as on some network file systems and other systems than Linux, records are written by calls instead.
"""

from __future__ import annotations

import errno
import mmap
import os
import sys
import threading
import time
import uuid
from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING

from dovetail import posix
from dovetail.errors import StoreError, StoreFull, StoreUnavailable
from dovetail.tracking.holder import holder_id
from dovetail.tracking.journal import access
from dovetail.tracking.journal.records import MAGIC, Header, sealed
from dovetail.values.measure import now_ms

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["SUFFIX", "UNBORN", "JournalClosed", "JournalWriter", "begin", "open_here"]

SUFFIX, UNBORN = ".journal", ".unborn"
_FIRST, _MOST = 1 << 20, 4 << 20
"""Bytes that are allocated at first, and from the time on when the file is larger than that."""
_PATIENCE = 10.0
"""Seconds that a folder is made anew which others remove."""
_MOMENT = 0.05
"""Seconds after which somebody who is writing is not waited for: threads that save at each call leave no gap."""
_ONE_AT_A_TIME = getattr(sys, "_is_gil_enabled", lambda: True)()
"""Whether nothing else of this process runs while a function written in C does."""


class JournalClosed(StoreUnavailable):
    """A journal takes nothing more, since it was closed."""


class _Room(mmap.mmap):
    """A part of the file in memory; its position is where the next record goes."""

    base = 0
    """Where in the file it begins."""


_NO_ROOM = _Room(-1, 1)
_NO_ROOM.seek(1)  # writing to it fails as it does where a room is full


class JournalWriter:
    """Appends records to a new journal, from any thread.

    The file is locked for as long as this process lives; a forked child calls ``abandon`` and leaves it alone.

    Args:
        path: The file; there is none of that name. It appears there with its header and its lock, so that whoever sees
            it can tell whether its process lives.
        header: What it says of itself.
        power: Whether ``append`` returns when a record survives a power cut, not only the end of the process.
        mapped: Whether the file is mapped into memory where that can be.

    Raises:
        StoreFull: The disk is full.
        StoreUnavailable: The file cannot be written.
    """

    def __init__(self, path: Path, header: Header, *, power: bool = False, mapped: bool = True) -> None:
        self.path, self.header, self._power = path, header, power
        # Whoever holds one may be interrupted by a signal whose handler logs, too: it goes on in the same thread.
        self._lock, self._saving = threading.RLock(), threading.RLock()
        self._map = _NO_ROOM
        self._last: _Room | int = 0
        """What has the end of the journal as its position, or the end itself."""
        self._file = self._lease = -1
        self.saved = 0
        """What stands before this survives a power cut, if that was asked for."""
        self._unsaved: OSError | None = None
        """What kept the rest from that. The system may have forgotten it then: the next try would seem to succeed."""
        self._mapped = mapped and posix.can_map(path.parent)
        self._be_born(path.with_suffix(UNBORN))

    @property
    def end(self) -> int:
        """Where the next record goes: all before it is written."""
        last = self._last
        return last if isinstance(last, int) else last.base + last.tell()

    def append(self, body: bytes) -> int:
        """Add a record.

        Returns:
            The offset behind it, or behind what somebody else added since.

        Raises:
            StoreFull: The disk is full; the record is not there.
            StoreUnavailable: The file cannot be written, or was closed; the record is not there. Or it is there, but
                not safe from a power cut, as was asked for.
        """
        self.put(sealed(body))
        return self.saved if self._power else self.end

    def put(self, record: bytes) -> bool:
        """Add a record that is ``sealed``, with as few steps as can be.

        Returns:
            Whether the journal had to grow for it.

        Raises:
            StoreError: As for ``append``.
        """
        grown = not (_ONE_AT_A_TIME and self._fits(record))
        if grown:
            self._put(record)
        if self._power:
            self._save(self.end)
        return grown

    def seal(self, *, wait: bool = True) -> bool:
        """Take nothing more, and give back the room that was not used; the lock stays.

        Args:
            wait: Whether to wait for somebody who is just writing, however long it takes; else it is a moment.

        Returns:
            Whether it takes nothing more now.

        Raises:
            StoreUnavailable: It cannot be made safe against a power cut, as was asked for.
        """
        with ExitStack() as held:
            for lock in (self._lock, self._saving):
                if not lock.acquire(timeout=-1 if wait else _MOMENT):
                    return False
                held.callback(lock.release)
            if self._file >= 0:
                self._seal()
            return True

    def close(self, delivered: int = 0) -> None:
        """Give back the room that was not used, and the lock. Closing twice does nothing.

        Args:
            delivered: All before it is elsewhere; a journal that ends there is deleted.
        """
        with self._lock:
            try:
                self.seal()
            finally:
                if self._lease >= 0 and self.end <= delivered:
                    self.path.unlink(missing_ok=True)
                self._release()

    def abandon(self) -> None:
        """Let go of it in a forked child: the file, its lock and what is in it are the parent's."""
        self._lock, self._saving = threading.RLock(), threading.RLock()
        self._last, self._map = 0, _NO_ROOM
        self._release()

    # --- steps -----------------------------------------------------------------------------------------------

    def _be_born(self, unborn: Path) -> None:
        self._file = os.open(unborn, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            access.adapt(self._file, unborn.parent)
            self._lease = posix.hold(unborn, timeout=0)
            self._put(MAGIC + sealed(self.header.body()))
            _open.add(self.path.name)
            unborn.rename(self.path)
            if self._power:
                _save_names(self.path.parent)
        except BaseException:
            for each in (unborn, self.path):
                each.unlink(missing_ok=True)
            self._unmap()
            self._release()
            raise

    def _fits(self, record: bytes) -> bool:
        """Write it where there is room; False if there is not enough."""
        try:
            # One call copies the record and moves the end: no other thread and no handler of a signal comes between.
            self._map.write(record)
        except ValueError as error:
            if error.__traceback__ is not None and error.__traceback__.tb_next is not None:
                raise  # a handler of a signal raised it, behind the call
            return False
        return True

    def _put(self, record: bytes) -> None:
        """Write it, and make room for it first where there is none."""
        with self._lock:
            while not self._fits(record):
                if self._mapped and self._file >= 0:
                    self._make_room(len(record))
                    continue
                last, start = self._last, self.end
                stop = start + len(record)
                # No call stands between looking and moving the end, so the handler of a signal does not either.
                if self._write(record, start) and self._last is last:
                    self._last = stop
                    return

    def _make_room(self, size: int) -> None:
        """Allocate and map more, from the end on: plenty, or as much as is needed if there is not that much."""
        # Nobody writes to the one before from here on, so the end stays where it is.
        before, self._map = self._map, _NO_ROOM
        end = self.end
        base = end // mmap.ALLOCATIONGRANULARITY * mmap.ALLOCATIONGRANULARITY
        try:
            stop = self._allocated(base, max(end + size, base + min(max(_FIRST, end), _MOST)), end + size)
            room = _Room(self._file, stop - base, offset=base)
        except OSError as error:
            if error.errno in (errno.EOPNOTSUPP, errno.EINVAL, errno.ENODEV, errno.ENOSYS):
                self._unmap()
                return
            if self._map is _NO_ROOM and self._last is before:
                self._map = before  # something smaller may fit
            del before  # whoever keeps the error must not keep the file open with it
            raise self._failure(error) from error
        room.base = base
        room.seek(end - base)
        # Unless the handler of a signal came between, and made room or closed the file. The one before is closed by
        # being forgotten.
        if self._map is _NO_ROOM and self._file >= 0:
            self._last = self._map = room

    def _allocated(self, base: int, plenty: int, needed: int) -> int:
        """How far there is room now."""
        try:
            os.posix_fallocate(self._file, base, plenty - base)
        except OSError as error:
            if error.errno != errno.ENOSPC or needed == plenty:
                raise
            os.posix_fallocate(self._file, base, needed - base)
            return needed
        return plenty

    def _write(self, data: bytes, start: int) -> bool:
        """Write at a place; False if it is not the end any more."""
        if self._file < 0:
            raise JournalClosed(f"The journal {self.path} is closed.")
        try:
            os.lseek(self._file, start, os.SEEK_SET)
            if self.end != start:
                return False
            rest = memoryview(data)
            while rest:
                rest = rest[os.write(self._file, rest) :]
        except OSError as error:
            raise self._failure(error) from error
        return True

    def _save(self, end: int) -> None:
        """Return when everything before ``end`` is on the disk; one call does it for all who wait.

        The first one that fails is the last one, and the journal takes nothing more.
        """
        with self._saving:
            if self.saved < end and self._unsaved is None:
                self._save_all()
            if self.saved >= end:
                return
            failure = self._unsaved
        if failure is not None:
            self.seal()
            raise self._failure(failure) from failure

    def _save_all(self) -> None:
        until = self.end
        try:
            # Linux writes mapped pages with it, too: they are the file's pages.
            os.fsync(self._file)
        except OSError as error:
            if self._file >= 0:  # else it was sealed meanwhile, by a handler of a signal, and is saved or cannot be
                self._unsaved = error
        else:
            self.saved = max(until, self.saved)

    def _seal(self) -> None:
        self._unmap()
        if self._power and self._unsaved is None:
            self._save(self.end)
        os.ftruncate(self._file, self.end)
        os.close(self._file)
        self._file = -1
        self._last = self.end

    def _failure(self, error: OSError) -> StoreError:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            return StoreFull(
                f"The journal {self.path} cannot grow: {error.strerror}.",
                hint="Free some room; what was logged before is safe.",
            )
        return StoreUnavailable(f"The journal {self.path} cannot be written: {error.strerror}.")

    def _unmap(self) -> None:
        # What was mapped is kept for its position, which stays where it is from here on.
        self._map, self._mapped = _NO_ROOM, False

    def _release(self) -> None:
        _open.discard(self.path.name)
        for descriptor in (self._file, self._lease):
            if descriptor >= 0:
                os.close(descriptor)
        self._file = self._lease = -1


_open: set[str] = set()


def open_here() -> set[str]:
    """The names of the journals that this very process writes."""
    return _open


def _save_names(folder: Path) -> None:
    """Let the names in a folder survive a power cut; on Windows they do so by themselves."""
    if sys.platform != "win32":
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def begin(folder: Path, uri: str, *, beside: bool = False, power: bool = False, mapped: bool = True) -> JournalWriter:
    """Begin a journal in a folder, which is made if it is missing.

    Args:
        folder: Where it goes.
        uri: Where what it holds belongs, without passwords.
        beside: Whether the folder lies beside the store there, and is as open as that is; else it is the user's own.
        power: As for ``JournalWriter``.
        mapped: As for ``JournalWriter``.

    Raises:
        StoreFull: The disk is full.
        StoreUnavailable: The folder or the file cannot be written.
    """
    import socket

    header = Header(uuid.uuid4().hex, uri, os.getpid(), socket.gethostname(), now_ms(), holder_id())
    # Sorted by name, the journals of a process are sorted by age.
    path = folder / f"{header.started:013}-{header.writer}{SUFFIX}"
    try:
        deadline = time.monotonic() + _PATIENCE
        while time.monotonic() < deadline:
            with suppress(FileNotFoundError):  # somebody who found the folder empty has just removed it
                access.make(folder, beside=beside)
                return JournalWriter(path, header, power=power, mapped=mapped)
        access.make(folder, beside=beside)
        return JournalWriter(path, header, power=power, mapped=mapped)
    except OSError as error:
        raise StoreUnavailable(
            f"No journal can be kept in {folder}: {error.strerror}.",
            hint=access.hint(folder, error, beside=beside),
        ) from error
