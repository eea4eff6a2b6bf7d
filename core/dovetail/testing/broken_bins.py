"""Tracking stores that empty their bins wrongly, or move runs wrongly, each in one way; see ``broken``."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from dovetail.errors import InvalidInput, InvalidState, RunEnded
from dovetail.testing.memory import MemoryTrackingStore
from dovetail.values import NewLoggedModel, NewRun

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dovetail.tracking.bin import Discarded
    from dovetail.values import Run

__all__ = ["FAULTS"]


class YoungerByTheDay(MemoryTrackingStore):
    """Notes a new moment when what is deleted is deleted again."""

    def delete_run(self, run_id: str) -> None:
        if self._record(run_id).deleted:
            self._runs[run_id] = self._record(run_id).staged("deleted")
        super().delete_run(run_id)


class ShallowBins(MemoryTrackingStore):
    """Leaves the models of a deleted experiment out of the bin."""

    def discarded(self, before: int | None = None) -> Sequence[Discarded]:
        return [
            each
            for each in super().discarded(before)
            if each.condemned or each.kind != "logged_model" or each.id in self._binned_models
        ]


class BinsUpsideDown(MemoryTrackingStore):
    """Lists experiments before what lies in them."""

    def discarded(self, before: int | None = None) -> Sequence[Discarded]:
        return super().discarded(before)[::-1]


class InclusiveLimits(MemoryTrackingStore):
    """Takes what was deleted at the moment itself for deleted before it."""

    def discarded(self, before: int | None = None) -> Sequence[Discarded]:
        return super().discarded(None if before is None else before + 60_000)


class LeniencyOfTheLaw(MemoryTrackingStore):
    """Restores what is condemned."""

    def restore_run(self, run_id: str) -> None:
        item = self._condemned.pop(("run", run_id), None)
        if item is not None:
            super().create_run(NewRun(item.experiment_id, run_id=run_id))
            return
        super().restore_run(run_id)


class LeniencyToModels(MemoryTrackingStore):
    """Restores a logged model that is condemned."""

    def restore_logged_model(self, model_id: str) -> None:
        item = self._condemned.pop(("logged_model", model_id), None)
        if item is not None:
            super().create_logged_model(NewLoggedModel(item.experiment_id, model_id=model_id))
            return
        super().restore_logged_model(model_id)


class GreedyCondemnation(MemoryTrackingStore):
    """Condemns what was restored meanwhile."""

    def condemn(self, item: Discarded) -> bool:
        if item.kind == "run" and item.id in self._runs:
            super().delete_run(item.id)
        return super().condemn(item)


class NamesToSpare(MemoryTrackingStore):
    """Gives the name of a condemned experiment away before that is purged."""

    def condemn(self, item: Discarded) -> bool:
        condemned = super().condemn(item)
        if condemned and item.kind == "experiment":
            self._condemned[item.kind, item.id] = replace(self._condemned[item.kind, item.id], name="")
        return condemned


class NamesForEver(MemoryTrackingStore):
    """Keeps the name of a purged experiment."""

    def create_experiment(self, name: str, *args: Any, **options: Any) -> str:
        if name in self.__dict__.setdefault("_names", set()):
            self._require_free("Default")
        self.__dict__["_names"].add(name)
        return super().create_experiment(name, *args, **options)


class IdsToSpare(MemoryTrackingStore):
    """Gives the id of a purged experiment to the next one."""

    def purge(self, item: Discarded) -> bool:
        self._given_ids.discard(item.id)
        return super().purge(item)


class RashPurges(MemoryTrackingStore):
    """Purges what nobody has condemned."""

    def purge(self, item: Discarded) -> bool:
        self.condemn(item)
        return super().purge(item)


class HollowExperiments(MemoryTrackingStore):
    """Purges an experiment that still has runs."""

    def purge(self, item: Discarded) -> bool:
        with suppress(InvalidState):
            return super().purge(item)
        return self._condemned.pop((item.kind, item.id), None) is not None


class PointsLeftBehind(MemoryTrackingStore):
    """Leaves the points of a purged run with the models that it measured."""

    def _forget_points(self, item: Discarded) -> None:
        del item


class MovedArtifacts(MemoryTrackingStore):
    """Says that the artifacts of a run that moved are where those of its new experiment are."""

    def move_run(self, run_id: str, experiment_id: str) -> None:
        super().move_run(run_id, experiment_id)
        record, experiment = self._record(run_id), self.get_experiment(experiment_id)
        place = f"{experiment.artifact_location}/{run_id}/artifacts"
        self._runs[run_id] = replace(record, info=replace(record.info, artifact_uri=place))


class CopiedRuns(MemoryTrackingStore):
    """Leaves a run that moves in its old experiment, too."""

    def _runs_of(self, experiment_ids: Sequence[str]) -> list[Run]:
        before = self.__dict__.get("_before", {})
        found = super()._runs_of(experiment_ids)
        return found + [self.get_run(run) for run, number in before.items() if number in experiment_ids]

    def move_run(self, run_id: str, experiment_id: str) -> None:
        before = self.get_run(run_id).info.experiment_id
        super().move_run(run_id, experiment_id)
        if before != experiment_id:
            self.__dict__.setdefault("_before", {})[run_id] = before


class MovesIntoTheBin(MemoryTrackingStore):
    """Moves runs to deleted experiments."""

    def move_run(self, run_id: str, experiment_id: str) -> None:
        try:
            super().move_run(run_id, experiment_id)
        except RunEnded:
            raise
        except InvalidInput:
            record = self._record(run_id)
            self._runs[run_id] = replace(record, info=replace(record.info, experiment_id=experiment_id))


class ForgottenDatasets(MemoryTrackingStore):
    """Does not tell an experiment about the datasets of a run that moves there."""

    def move_run(self, run_id: str, experiment_id: str) -> None:
        known = dict(self._datasets)
        super().move_run(run_id, experiment_id)
        self._datasets = known


FAULTS: dict[type[MemoryTrackingStore], str] = {
    YoungerByTheDay: "test_deleting_again_keeps_the_moment",
    ShallowBins: "test_an_experiment_takes_its_models_along",
    BinsUpsideDown: "test_an_experiment_takes_its_runs_along",
    InclusiveLimits: "test_only_what_was_deleted_before_a_moment",
    LeniencyOfTheLaw: "test_a_condemned_run_is_found_no_more",
    LeniencyToModels: "test_a_logged_model_goes_the_same_way",
    GreedyCondemnation: "test_what_was_restored_is_not_condemned",
    NamesToSpare: "test_a_condemned_experiment_is_found_no_more",
    NamesForEver: "test_an_experiment_goes_last",
    IdsToSpare: "test_ids_of_purged_experiments_are_not_given_again",
    RashPurges: "test_what_is_not_condemned_is_not_purged",
    HollowExperiments: "test_an_experiment_goes_last",
    PointsLeftBehind: "test_what_a_run_used_and_made_goes_with_it",
    MovedArtifacts: "test_its_artifacts_stay_where_they_are",
    CopiedRuns: "test_searches_find_it_where_it_is",
    MovesIntoTheBin: "test_nothing_moves_to_where_nothing_may_be_added",
    ForgottenDatasets: "test_what_it_used_goes_along",
}
"""Every store with a fault of this kind, and the story of the suite that must catch it."""
