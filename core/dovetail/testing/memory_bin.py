"""What is deleted, in memory."""

# ruff: noqa: D102 - the docstrings of these methods stand in the interface

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from dovetail.errors import InvalidState
from dovetail.tracking.bin import Discarded
from dovetail.tracking.store import TrackingStore

if TYPE_CHECKING:
    import threading
    from collections.abc import Container, Iterator, Sequence

    from dovetail.testing.memory_leases import Held
    from dovetail.testing.records import Record
    from dovetail.values import Dataset, Experiment, LoggedModel

__all__ = ["MemoryBin"]


class MemoryBin(TrackingStore):
    """What is deleted, in memory. What is condemned leaves the store at once; what is left of it is its name.

    Attributes:
        _binned_experiments: When those in the bin were deleted.
        _condemned: What is being taken away, by kind and id.
        _given_ids: Ids of experiments that were taken away; nobody gets them again.
    """

    _lock: threading.RLock
    _runs: dict[str, Record]
    _held: dict[str, Held]
    _models: dict[str, LoggedModel]
    _experiments: dict[str, Experiment]
    _binned_models: dict[str, int]
    _datasets: dict[tuple[str, str, str], Dataset]
    _binned_experiments: dict[str, int]
    _condemned: dict[tuple[str, str], Discarded]
    _given_ids: set[str]

    def discarded(self, before: int | None = None) -> Sequence[Discarded]:
        with self._lock:
            kinds = self._discarded_runs(), self._discarded_models(), self._discarded_experiments()
            found = [each for kind in kinds for each in sorted(kind, key=lambda each: (each.deletion_time, each.id))]
        return [each for each in found if before is None or each.condemned or each.deletion_time < before]

    def condemn(self, item: Discarded) -> bool:
        with self._lock:
            if (item.kind, item.id) in self._condemned:
                return True
            found = next((each for each in self.discarded() if (each.kind, each.id) == (item.kind, item.id)), None)
            if found is None:
                return False
            self._condemned[item.kind, item.id] = replace(found, condemned=True)
            self._take_out(item)
            return True

    def purge(self, item: Discarded) -> bool:
        with self._lock:
            self._require_condemned(item)
            if item.kind == "experiment":
                self._require_empty(item)
                self._forget_datasets(item)
            if item.kind == "run":
                self._forget_points(item)
            return self._condemned.pop((item.kind, item.id), None) is not None

    # --- steps -----------------------------------------------------------------------------------------------

    def _discarded_runs(self) -> Iterator[Discarded]:
        for record in self._runs.values():
            if record.deleted:
                info = record.info
                yield Discarded(
                    "run", info.run_id, info.run_name, info.experiment_id, info.artifact_uri, record.deletion_time
                )
        yield from self._condemned_of("run")

    def _discarded_models(self) -> Iterator[Discarded]:
        for model in self._models.values():
            times = self._binned_models.get(model.model_id), self._binned_experiments.get(model.experiment_id)
            if known := [time for time in times if time is not None]:
                yield Discarded(
                    "logged_model", model.model_id, model.name, model.experiment_id, model.artifact_location, min(known)
                )
        yield from self._condemned_of("logged_model")

    def _discarded_experiments(self) -> Iterator[Discarded]:
        for number, time in self._binned_experiments.items():
            if number in self._experiments:
                each = self._experiments[number]
                yield Discarded("experiment", number, each.name, number, each.artifact_location, time)
        yield from self._condemned_of("experiment")

    def _condemned_of(self, kind: str) -> Iterator[Discarded]:
        return (each for each in self._condemned.values() if each.kind == kind)

    def _take_out(self, item: Discarded) -> None:
        if item.kind == "run":
            del self._runs[item.id]
            self._held.pop(item.id, None)
        elif item.kind == "logged_model":
            del self._models[item.id]
            self._binned_models.pop(item.id, None)
        else:
            del self._experiments[item.id]
            self._given_ids.add(item.id)

    def _require_condemned(self, item: Discarded) -> None:
        held: dict[str, Container[str]] = {
            "run": self._runs, "logged_model": self._models, "experiment": self._experiments
        }  # fmt: skip
        if item.id in held[item.kind]:
            raise InvalidState(f"The {item.kind} {item.id} is not condemned.", hint="Condemn it first.")

    def _require_empty(self, item: Discarded) -> None:
        members = [each.info.experiment_id for each in self._runs.values()]
        members += [each.experiment_id for each in self._models.values()]
        members += [each.experiment_id for each in self._condemned.values() if each.kind != "experiment"]
        if item.id in members:
            raise InvalidState(f"Experiment {item.id} still has runs or logged models.", hint="Purge those first.")

    def _forget_datasets(self, item: Discarded) -> None:
        self._binned_experiments.pop(item.id, None)
        for known in [known for known in self._datasets if known[0] == item.id]:
            del self._datasets[known]

    def _forget_points(self, item: Discarded) -> None:
        for model in list(self._models.values()):
            kept = tuple(point for point in model.metrics if point.run_id != item.id)
            if len(kept) < len(model.metrics):
                self._models[model.model_id] = replace(model, metrics=kept)
