"""News for plugins of what runs logged, told when it is stored and by whoever stored it."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from dovetail import plugins, uris
from dovetail.values.event import Event

if TYPE_CHECKING:
    from dovetail.values import Batch

__all__ = ["News", "is_told"]

HOOK = "dovetail_event"


class News:
    """What was stored in one store, noted until it is told.

    Noting and telling are apart, since a plugin may well log or read in answer to news: it must not do so between two
    parts of one delivery. Where no plugin listens nothing is noted.

    Args:
        uri: The store's.
    """

    def __init__(self, uri: str) -> None:
        self._uri = uris.masked(uri)
        self._noted: list[Event] = []

    def note(self, run_id: str, batch: Batch) -> None:
        """A batch of a run is stored; it is told with the others. One thread at a time notes and tells."""
        if batch and plugins.listens(HOOK):
            self._noted.append(self._event(run_id, batch))

    def take_back(self) -> None:
        """What was noted is going to be stored, and noted, once more."""
        self._noted.clear()

    def tell(self) -> None:
        """Tell every plugin what was noted, in that order."""
        noted, self._noted = self._noted, []
        for event in noted:
            _tell(event)

    def tell_at_once(self, run_id: str, batch: Batch) -> None:
        """Tell every plugin of a batch that is stored; any number of threads may do so."""
        if batch and plugins.listens(HOOK):
            _tell(self._event(run_id, batch))

    def _event(self, run_id: str, batch: Batch) -> Event:
        return Event.stored(kind=Event.LOGGED, run_id=run_id, uri=self._uri, batch=batch)


class _Telling(threading.local):
    """Of which run a thread tells at the moment."""

    run_id: str | None = None


_telling = _Telling()


def is_told(run_id: str) -> bool:
    """Whether this thread tells plugins of a run: they may log to it in answer, although it has ended by now."""
    return _telling.run_id == run_id


def _tell(event: Event) -> None:
    before, _telling.run_id = _telling.run_id, event.run_id
    try:
        plugins.tell(HOOK, event=event)
    except Warning as failure:
        # A plugin failed, and somebody made warnings errors; what is delivered must not hang on that.
        import logging

        logging.getLogger(__name__).warning("%s", failure)
    finally:
        _telling.run_id = before
