"""The seam between a log call and the store: what runs log goes through a recorder.

Today's recorder writes straight to the store. A recorder that appends to a journal and ships in the background
fits here without any verb changing.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

from dovetail import settings
from dovetail.errors import InvalidInput, RunEnded

if TYPE_CHECKING:
    from dovetail.tracking.store import TrackingStore
    from dovetail.values import Batch

__all__ = ["DirectRecorder", "Recorder", "check_synchronous", "write"]


class Recorder(ABC):
    """Takes what a run logs; when ``record`` returns, the batch survives the end of the process."""

    @abstractmethod
    def record(self, run_id: str, batch: Batch) -> None:
        """Keep a batch of a run.

        Raises:
            DovetailError: It was refused; nothing of it is kept.
        """

    @abstractmethod
    def flush(self) -> None:
        """Return when everything recorded so far is in the store."""


class DirectRecorder(Recorder):
    """Writes each batch to the store before it returns."""

    def __init__(self, store: TrackingStore) -> None:
        self._store = store

    def record(self, run_id: str, batch: Batch) -> None:
        """Write the batch."""
        write(self._store, run_id, batch)

    def flush(self) -> None:
        """Nothing is ever waiting."""


def check_synchronous(synchronous: bool | None) -> None:
    """Refuse what MLflow calls asynchronous logging, which is not here yet; True and None ask for what happens anyway.

    Raises:
        InvalidInput: It is False.
    """
    if synchronous is False:
        raise InvalidInput(
            "synchronous=False asks for asynchronous logging, which this version of dovetail does not have.",
            hint="Leave it out: a call returns as soon as what it logs is stored.",
        )


def write(store: TrackingStore, run_id: str, batch: Batch) -> None:
    """Write a batch; a run that has ended takes it only if the setting ``allow_ended_runs`` says so."""
    try:
        store.log_batch(run_id, batch)
    except RunEnded:
        # The setting is read only now: looking it up touches the file system, and this is a hot path.
        if not settings.get("allow_ended_runs"):
            raise
        store.log_batch(run_id, batch, ended=True)
