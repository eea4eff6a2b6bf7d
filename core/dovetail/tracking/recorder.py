"""The seam between a log call and the store: what runs log goes through a recorder.

A store that lasts is logged to through a journal (see ``shipper``): a call costs an append, whatever the store does
meanwhile. What ends with the process is written to directly.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

from dovetail import settings
from dovetail.errors import RunEnded, StoreUnavailable
from dovetail.tracking.news import News
from dovetail.values import Batch, Metric

if TYPE_CHECKING:
    from collections.abc import Callable

    from dovetail.tracking.store import TrackingStore
    from dovetail.values import Ending, Run

__all__ = ["DeliveryInterrupted", "DirectRecorder", "Recorder", "write"]


class DeliveryInterrupted(StoreUnavailable):
    """What is asked for can be done only when what was interrupted by a signal goes on, or is given up."""


class Recorder(ABC):
    """Takes what a run logs; when ``record`` returns, the batch survives the end of the process."""

    @abstractmethod
    def record(self, run_id: str, batch: Batch) -> None:
        """Keep a batch of a run.

        Raises:
            DovetailError: It was refused; nothing of it is kept.
        """

    def point(self, run_id: str, key: str, value: float, timestamp: int | None, step: int | None) -> None:
        """Keep one point, checked as ``Metric`` checks it: what training loops do, in as few calls as can be."""
        self.record(run_id, Batch((Metric(key, value, timestamp, step),)))

    def kept(self, run_id: str, batch: Batch) -> Callable[[], None]:
        """Keep a batch of a run, and answer with what waits for it.

        Returns:
            A call that returns when the batch is in the store, and raises a ``DovetailError`` where the store refused
            some of it, or cannot be reached.

        Raises:
            DovetailError: It was refused; nothing of it is kept.
        """
        self.record(run_id, batch)
        return self.flush

    def tell_refusals(self) -> None:
        """Raise the first refusal of the store's that nobody was told of, and let the others until now be.

        Raises:
            DovetailError: The refusal.
        """

    @abstractmethod
    def flush(self, timeout: float | None = None) -> None:
        """Return when everything recorded so far is in the store.

        Args:
            timeout: Seconds to go on trying where the store cannot be reached.

        Raises:
            StoreError: The store cannot be reached; what was recorded is safe.
            DeliveryInterrupted: This is the handler of a signal that came in the midst of that.
        """

    def meet(self, run: Run) -> None:
        """Learn what a run holds from whoever just read it."""

    def forget(self, run_id: str) -> None:
        """A run has ended, or changed hands."""

    def end(self, run_id: str, end: Ending, *, always: bool = False) -> bool:
        """Keep how a run ended, on the same way as what it logged.

        Args:
            run_id: The run.
            end: How it ended.
            always: Whether to keep it although nothing of the run is on that way: its store cannot be reached.

        Returns:
            Whether it is kept; else the store is to be told.
        """
        del run_id, end, always
        return False

    def close(self) -> None:
        """Deliver what waits, and let go of what was taken."""
        self.flush()


class DirectRecorder(Recorder):
    """Writes each batch to the store before it returns."""

    def __init__(self, store: TrackingStore) -> None:
        self._store, self._news = store, News(store.uri)

    def record(self, run_id: str, batch: Batch) -> None:
        """Write the batch."""
        write(self._store, run_id, batch)
        self._news.tell_at_once(run_id, batch)

    def flush(self, timeout: float | None = None) -> None:
        """Nothing is ever waiting."""


def write(store: TrackingStore, run_id: str, batch: Batch) -> None:
    """Write a batch; a run that has ended takes it only if the setting ``allow_ended_runs`` says so."""
    try:
        store.log_batch(run_id, batch)
    except RunEnded:
        # The setting is read only now: looking it up touches the file system, and this is a hot path.
        if not settings.get("allow_ended_runs"):
            raise
        store.log_batch(run_id, batch, ended=True)
