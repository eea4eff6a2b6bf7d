"""Bringing in what processes left behind that are no more."""

from __future__ import annotations

import logging
import os
import socket
from typing import TYPE_CHECKING, BinaryIO

from dovetail import posix
from dovetail.errors import StoreError, StoreUnavailable
from dovetail.tracking.holder import holder_id
from dovetail.tracking.journal.delivery import Delivery
from dovetail.tracking.journal.folder import claimed, drop_empty, orphans
from dovetail.tracking.journal.reader import JournalReader
from dovetail.tracking.journal.writer import UNBORN
from dovetail.values.measure import now_ms

if TYPE_CHECKING:
    from pathlib import Path

    from dovetail.tracking.journal.records import Header
    from dovetail.tracking.store import TrackingStore

__all__ = ["recover"]

DAMAGED = ".damaged"


def recover(store: TrackingStore, folder: Path) -> int:
    """Bring into a store what processes left behind that are no more.

    Returns:
        How many journals were emptied.

    Raises:
        StoreError: The store cannot take it now; the journals stay.
    """
    emptied, failure = 0, None
    for path in orphans(folder):
        with claimed(path) as file:
            if file is None:
                continue
            try:
                _empty(store, path, file)
                emptied += 1
            except StoreUnavailable:
                raise
            except StoreError as error:  # this one cannot be read; others can
                failure = failure or error
            except Exception as error:  # noqa: BLE001 - it holds what nobody wrote; others do not
                failure = failure or StoreError(f"{path} cannot be brought in: {error!r}.", hint="Move it away.")
    drop_empty(folder)
    if failure is not None:
        raise failure
    return emptied


def _empty(store: TrackingStore, path: Path, file: BinaryIO) -> None:
    """Bring in all that a journal holds, and remove it."""
    damage = _ship_all(store, path, file) if path.suffix != UNBORN else None
    try:
        if damage is None:
            path.unlink(missing_ok=True)
        else:
            _keep_damaged(path, damage)
    except PermissionError:
        message = "%s is in the store by now; only who wrote it, or who owns its folder, may remove it."
        logging.getLogger(__name__).warning(message, path)


def _ship_all(store: TrackingStore, path: Path, file: BinaryIO) -> int | None:
    """Bring in all that can be read; where a damage begins, if there is one."""
    reader, delivery = JournalReader(file), Delivery(store, path.parent)
    while delivery.ship(reader):
        pass
    _bury(store, reader, file)
    return reader.place if reader.is_damaged() else None


def _bury(store: TrackingStore, reader: JournalReader, file: BinaryIO) -> None:
    """End the runs of a process that is no more: nobody has to wait until its leases run out."""
    header = reader.header
    if header.holder and header.host == socket.gethostname() and _is_gone(header):
        written = int(1000 * os.fstat(file.fileno()).st_mtime)
        store.reap_runs(header.holder, min(max(written, reader.latest), now_ms()))


def _is_gone(header: Header) -> bool:
    """Whether a process of this machine is no more: it may also just have let go of its store while that was away."""
    if header.pid == os.getpid():
        return header.holder != holder_id()
    return not posix.is_running(header.pid)


def _keep_damaged(path: Path, place: int) -> None:
    """Somebody may want to look at it: what stands behind the damage is not in the store."""
    kept = path.rename(path.with_suffix(DAMAGED))
    message = "A journal is damaged at byte %d; what stands behind that could not be read. It is kept as %s."
    logging.getLogger(__name__).warning(message, place, kept)
