"""Signs of life: while runs are active in this process, their stores hear that it is there.

Who hears them also looks for runs of others whose process is gone, so that these end as CRASHED although nobody is left
to say so. A store that is away is tried again at the next beat.
"""

from __future__ import annotations

import logging
import os
import threading
from contextlib import suppress
from typing import TYPE_CHECKING

from dovetail import settings
from dovetail.errors import InvalidSetting
from dovetail.tracking import places
from dovetail.tracking.holder import LONGEST, own_lease

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Heartbeat"]


class Heartbeat:
    """A thread of this process for each store at which runs are active: one that hangs silences no other.

    Args:
        active: The tracking URIs at which runs are active now.
    """

    def __init__(self, active: Callable[[], set[str]]) -> None:
        self._active = active
        self._begin_anew()
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._begin_anew)

    def keep_up(self, uri: str) -> None:
        """See to it that signs of life are given to a store from now on; a run has become active there."""
        with self._lock:
            if uri not in self._threads:
                # What the setting says when the run starts: the thread may come to look at it later, when it is broken.
                known = uri, _interval(LONGEST)
                thread = threading.Thread(target=self._go_on, args=known, name="dovetail-heartbeat", daemon=True)
                with suppress(RuntimeError):  # the interpreter ends, and the run with it
                    thread.start()
                    self._threads[uri] = thread

    # --- steps -----------------------------------------------------------------------------------------------

    def _begin_anew(self) -> None:
        """A forked child has no threads, and another one of the parent's may have held the lock."""
        self._lock = threading.RLock()  # the handler of a signal may start a run, too
        self._threads: dict[str, threading.Thread] = {}

    def _go_on(self, uri: str, interval: float) -> None:
        pause = threading.Event()
        while True:
            pause.wait(min(interval or LONGEST, LONGEST))  # nobody sets it: it ends with the process
            interval = _interval(interval)
            with self._lock:
                if uri not in self._active():
                    del self._threads[uri]
                    return
            _beat(uri)


def _beat(uri: str) -> None:
    try:
        store = places.store_at(uri)
        if not store.lasting:
            return  # it ends with the process: nobody else asks it
        if (lease := own_lease()) is not None:
            store.beat(lease.holder, lease.seconds)
        store.reap_runs()
    except Exception as failure:  # noqa: BLE001 - whatever it is, the next one may arrive
        logging.getLogger(__name__).debug("A sign of life did not arrive: %s", failure)


def _interval(before: float) -> float:
    """Seconds until the next one; as before where the setting cannot be read at this moment."""
    try:
        interval: float = settings.get("heartbeat_interval")
    except InvalidSetting:
        return before
    return interval
