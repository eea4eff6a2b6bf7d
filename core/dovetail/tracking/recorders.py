"""The recorders of this process: one a store, made when something is logged to it."""

from __future__ import annotations

import atexit
import os
import sys
import threading
from contextlib import suppress
from typing import TYPE_CHECKING

from dovetail import settings
from dovetail.errors import DovetailError, StoreUnavailable
from dovetail.tracking.recorder import DeliveryInterrupted, DirectRecorder

if TYPE_CHECKING:
    from collections.abc import Callable

    from dovetail.tracking.recorder import Recorder
    from dovetail.tracking.store import TrackingStore

__all__ = [
    "close_recorder",
    "close_recorders",
    "drain",
    "drain_all",
    "is_recording",
    "made",
    "recorder_at",
    "recover",
    "say_it_waits",
    "tell_refusals",
]

_lock = threading.RLock()
_recorders: dict[str, Recorder] = {}
_said: set[str] = set()  # stores that the user knows could not be reached
_watched: int | None = None  # the process whose end is watched for


made: Callable[[str], Recorder | None] = _recorders.get
"""The recorder for the store at a URI, or None if nothing was logged to it: no function, since the hot path asks."""


def recorder_at(uri: str, open_store: Callable[[str], TrackingStore]) -> Recorder:
    """The recorder for the store at a URI.

    Args:
        uri: The store's.
        open_store: Opens it, if nothing was logged to it yet.
    """
    found = _recorders.get(uri)
    return _make(uri, open_store) if found is None else found


def is_recording(uri: str) -> bool:
    """Whether something was logged to the store at a URI."""
    return uri in _recorders


def _make(uri: str, open_store: Callable[[str], TrackingStore]) -> Recorder:
    store = open_store(uri)
    with _lock:
        if uri not in _recorders:
            _recorders[uri] = _recorder_for(store)
            _close_with_worker()
        return _recorders[uri]


def _recorder_for(store: TrackingStore) -> Recorder:
    if not store.lasting:
        return DirectRecorder(store)
    from dovetail.tracking.journal.place import folder_of
    from dovetail.tracking.shipper import JournalRecorder

    return JournalRecorder(store, folder_of(store), power=settings.get("durability") == "power")


def _close_with_worker() -> None:
    """A process of multiprocessing's leaves without atexit; open runs end before (see ``runs``)."""
    global _watched  # noqa: PLW0603 - once a process is enough
    process = sys.modules.get("multiprocessing.process")
    if process is not None and process.parent_process() is not None and _watched != os.getpid():
        from multiprocessing.util import Finalize

        _watched = os.getpid()
        Finalize(None, _close_at_exit, exitpriority=90)


def drain(uri: str) -> None:
    """Return when what this process logged to the store is in it, so that a read sees it.

    Raises:
        StoreError: The store cannot be reached.
    """
    with suppress(DeliveryInterrupted):  # the handler of a signal reads what there is
        _drain(uri)


def drain_all() -> None:
    """The same for every store that something was logged to; the handler of a signal may hear that it cannot be done.

    Raises:
        StoreError: One of them cannot be reached.
    """
    for uri in list(_recorders):
        _drain(uri)


def _drain(uri: str) -> None:
    if (found := _recorders.get(uri)) is not None:
        found.flush()
        _said.discard(uri)  # it is back


def tell_refusals() -> None:
    """Raise the first refusal of a store's that nobody was told of.

    Raises:
        DovetailError: The refusal.
    """
    for found in list(_recorders.values()):
        found.tell_refusals()


def recover(store: TrackingStore) -> None:
    """Bring in what other processes logged to the store before they died, as far as it can take it now."""
    if not store.lasting:
        return
    from dovetail.tracking.journal.folder import has_others
    from dovetail.tracking.journal.place import folder_of

    folder = folder_of(store)
    if not has_others(folder):
        return
    from dovetail.tracking.journal.recovery import recover as bring_in

    try:
        bring_in(store, folder)
    except Exception as failure:  # noqa: BLE001 - a journal may hold whatever somebody made up
        # Whoever opened the store wants something else of it, and hears about its troubles then.
        import logging

        why = "" if isinstance(failure, StoreUnavailable) else f": {failure}"
        logging.getLogger(__name__).warning("Logs of processes that died stay in %s for now%s", folder, why or ".")


def close_recorder(uri: str) -> None:
    """Deliver what waits for one store, and let go of its recorder."""
    with _lock:
        found = _recorders.pop(uri, None)
    if found is not None:
        found.close()


def close_recorders() -> None:
    """Deliver what waits, and let go of all recorders."""
    for uri in list(_recorders):
        close_recorder(uri)


@atexit.register
def _close_at_exit() -> None:
    for uri in list(_recorders):
        _try_to_close(uri)


def say_it_waits(uri: str, what: str, failure: Exception) -> None:
    """Say on standard error that something waits on this machine; the end of the process does not say it again.

    Args:
        uri: The store's that it is meant for.
        what: What happened, such as that a run ended.
        failure: Why the store does not have it.
    """
    _said.add(uri)
    why = failure.message if isinstance(failure, DovetailError) else repr(failure)
    sys.stderr.write(
        f"dovetail: {what}, but its store could not be reached: {why}\n"
        "  What it logged waits on this machine; `dovetail sync` sends it, and so does whatever opens the store next.\n"
    )


def _try_to_close(uri: str) -> None:
    try:
        close_recorder(uri)
    except Exception as failure:  # noqa: BLE001 - a store may have a mistake; the others are to be closed all the same
        if uri not in _said:
            say_it_waits(uri, "this process ended", failure)


def _begin_anew_after_fork() -> None:
    """The recorders are the parent's; another thread may have held the lock when the process forked."""
    global _lock  # noqa: PLW0603 - the module's state
    _lock = threading.RLock()
    _recorders.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_begin_anew_after_fork)
