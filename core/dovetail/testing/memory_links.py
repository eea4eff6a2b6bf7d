"""What runs used and made, in memory."""

# ruff: noqa: D102 - the docstrings of these methods stand in the interface

from __future__ import annotations

from abc import abstractmethod
from dataclasses import replace
from typing import TYPE_CHECKING

from dovetail.tracking.store import TrackingStore

if TYPE_CHECKING:
    import threading
    from collections.abc import Sequence

    from dovetail.testing.records import Record
    from dovetail.values import Dataset, DatasetInput, LoggedModelInput, LoggedModelOutput

__all__ = ["MemoryLinks"]


class MemoryLinks(TrackingStore):
    """What runs used and made, in memory."""

    _lock: threading.RLock
    _runs: dict[str, Record]
    _datasets: dict[tuple[str, str, str], Dataset]

    def log_inputs(
        self, run_id: str, datasets: Sequence[DatasetInput] = (), models: Sequence[LoggedModelInput] = ()
    ) -> None:
        with self._lock:
            record = self._writable(run_id)
            self._require_models(models)
            known = [self._known(record.info.experiment_id, each) for each in datasets]
            self._runs[run_id] = record.with_inputs(known, models)

    def log_outputs(self, run_id: str, models: Sequence[LoggedModelOutput]) -> None:
        with self._lock:
            record = self._writable(run_id)
            self._require_models(models)
            self._runs[run_id] = record.with_outputs(models)

    # --- steps -----------------------------------------------------------------------------------------------

    def _known(self, experiment_id: str, used: DatasetInput) -> DatasetInput:
        """The same with the dataset as its experiment knows it."""
        key = experiment_id, used.dataset.name, used.dataset.digest
        return replace(used, dataset=self._datasets.setdefault(key, used.dataset))

    def _require_models(self, models: Sequence[LoggedModelInput | LoggedModelOutput]) -> None:
        for each in models:
            self.get_logged_model(each.model_id)

    @abstractmethod
    def _writable(self, run_id: str) -> Record:
        """The run, if it is not deleted."""
