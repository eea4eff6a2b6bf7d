"""The methods of a store that deal with what is deleted."""

# ruff: noqa: D102 - the docstrings of these methods stand in the interface

from __future__ import annotations

from typing import TYPE_CHECKING

from dovetail.errors import InvalidState
from dovetail.tracking.bin import Discarded
from dovetail.values.measure import now_ms
from dovetail_file.entries import ACTIVE, CONDEMNED, DELETED
from dovetail_file.experiments import PURGED
from dovetail_file.model_methods import ModelMethods
from dovetail_file.names import file_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from dovetail_file.entries import Entry
    from dovetail_file.models import KeptModel

__all__ = ["BinMethods"]


class BinMethods(ModelMethods):
    """The methods of a store that deal with what is deleted."""

    def discarded(self, before: int | None = None) -> Sequence[Discarded]:
        with self._lock:
            self._experiments.kept()
            kinds = self._discarded_runs(), self._discarded_models(), self._discarded_experiments()
            found = [each for kind in kinds for each in sorted(kind, key=lambda each: (each.deletion_time, each.id))]
        return [each for each in found if before is None or each.condemned or each.deletion_time < before]

    def condemn(self, item: Discarded) -> bool:
        with self._lock:
            self._experiments.kept()
            if item.kind == "run":
                return self._condemn_run(item.id)
            if item.kind == "logged_model":
                return self._condemn_model(item.id)
            return self._experiments.move(item.id, CONDEMNED, DELETED) or self._stage_of(item.id) == CONDEMNED

    def purge(self, item: Discarded) -> bool:
        with self._lock:
            if item.kind == "run":
                entry = self._catalogue.look(file_name(item.id))
                return entry is not None and self._require_condemned(item, entry.stage) and self._purge_run(entry)
            if item.kind == "logged_model":
                kept = self._models.any(item.id)
                return kept is not None and self._require_condemned(item, kept.stage) and self._models.take_away(kept)
            return self._purge_experiment(item)

    def compact(self) -> int | None:
        with self._lock:
            self._pointers.sweep()
            return self._folder.sweep()

    # --- what lies there -------------------------------------------------------------------------------------

    def _discarded_runs(self) -> Iterator[Discarded]:
        for entry in self._catalogue.all():
            deleted, moment = self._deleted(entry)
            if deleted:
                info = self._info(entry)
                yield Discarded(
                    "run",
                    info.run_id,
                    info.run_name,
                    info.experiment_id,
                    info.artifact_uri,
                    moment,
                    condemned=entry.stage == CONDEMNED,
                )

    def _discarded_models(self) -> Iterator[Discarded]:
        for kept in self._models.all():
            deleted, moment = self._deleted_model(kept)
            if deleted:
                model = kept.model
                yield Discarded(
                    "logged_model",
                    model.model_id,
                    model.name,
                    model.experiment_id,
                    self._model_place(kept),
                    moment,
                    condemned=kept.stage == CONDEMNED,
                )

    def _discarded_experiments(self) -> Iterator[Discarded]:
        for number, kept in self._experiments.kept().items():
            if kept.stage in (DELETED, CONDEMNED):
                each = kept.experiment
                place = self._experiments.place(number, each.artifact_location)
                yield Discarded(
                    "experiment", number, each.name, number, place, kept.time, condemned=kept.stage == CONDEMNED
                )

    def _deleted_model(self, kept: KeptModel) -> tuple[bool, int]:
        """Whether a model is deleted, itself or with its experiment, and since when."""
        experiment = self._experiments.deleted(kept.model.experiment_id)
        times = [kept.time] * (kept.stage != ACTIVE) + ([] if experiment is None else [experiment.time])
        return bool(times), kept.time if kept.stage == CONDEMNED else min(times, default=0)

    # --- what goes -------------------------------------------------------------------------------------------

    def _condemn_run(self, run_id: str) -> bool:
        while (entry := self._catalogue.look(file_name(run_id))) is not None:
            deleted, moment = self._deleted(entry)
            if not deleted or entry.stage == CONDEMNED:
                return deleted
            if self._catalogue.stage(entry, CONDEMNED, moment):
                return True
        return False

    def _condemn_model(self, model_id: str) -> bool:
        while (kept := self._models.any(model_id)) is not None:
            deleted, moment = self._deleted_model(kept)
            if not deleted or kept.stage == CONDEMNED:
                return deleted
            note = {"op": "stage", "stage": CONDEMNED, "deleted": moment, "time": now_ms()}
            if self._models.append(kept, note):
                return True
        return False

    def _purge_run(self, entry: Entry) -> bool:
        # The points that it logged to models stand in its own files.
        gone = self._catalogue.take_away(entry)
        self._leases.let_go(entry.place.name)
        return gone

    def _purge_experiment(self, item: Discarded) -> bool:
        stage = self._stage_of(item.id)
        if stage in (None, PURGED) or not self._require_condemned(item, stage or ""):
            return False
        members = [each.experiment_id for each in self._catalogue.all()]
        members += [each.model.experiment_id for each in self._models.all()]
        if item.id in members:
            raise InvalidState(f"Experiment {item.id} still has runs or logged models.", hint="Purge those first.")
        self._datasets.forget(item.id)
        return self._experiments.move(item.id, PURGED, CONDEMNED)

    def _stage_of(self, experiment_id: str) -> str | None:
        kept = self._experiments.kept().get(experiment_id)
        return None if kept is None else kept.stage

    def _require_condemned(self, item: Discarded, stage: str) -> bool:
        if stage != CONDEMNED:
            raise InvalidState(f"The {item.kind} {item.id} is not condemned.", hint="Condemn it first.")
        return True
