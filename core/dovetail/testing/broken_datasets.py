"""Tracking stores that are wrong about which datasets runs used."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from dovetail.testing.memory import MemoryTrackingStore
from dovetail.tracking.walking import every
from dovetail.values import DatasetSummary, ViewType

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["FAULTS"]


class UsesByRun(MemoryTrackingStore):
    """Tells of a use as often as there are runs."""

    def search_datasets(self, experiment_ids: Sequence[str], max_results: int = 1000) -> Sequence[DatasetSummary]:
        runs = every(lambda token: self.search_runs(experiment_ids, page_token=token))
        found = super().search_datasets(experiment_ids, max_results)
        again = [each for run in runs for each in found if run.inputs.dataset_inputs]
        return sorted(again or found, key=found.index)


class UsesForNothing(MemoryTrackingStore):
    """Does not tell what a dataset was used for."""

    def search_datasets(self, experiment_ids: Sequence[str], max_results: int = 1000) -> Sequence[DatasetSummary]:
        found = super().search_datasets(experiment_ids, max_results)
        return list(dict.fromkeys(replace(each, context="") for each in found))


class NumbersAsText(MemoryTrackingStore):
    """Sorts experiments by their ids as text."""

    def search_datasets(self, experiment_ids: Sequence[str], max_results: int = 1000) -> Sequence[DatasetSummary]:
        found = super().search_datasets(experiment_ids)
        order = sorted(found, key=lambda each: (each.name, each.digest, each.context, each.experiment_id))
        return order[:max_results]


class LimitedTooEarly(MemoryTrackingStore):
    """Leaves the first uses that it comes upon, not the first ones in order."""

    def search_datasets(self, experiment_ids: Sequence[str], max_results: int = 1000) -> Sequence[DatasetSummary]:
        runs = self.search_runs(experiment_ids)
        met = [(each.dataset.name, each.dataset.digest) for run in runs for each in run.inputs.dataset_inputs]
        found = super().search_datasets(experiment_ids)
        return [each for each in found if (each.name, each.digest) in met[:max_results]][:max_results]


class EverybodysData(MemoryTrackingStore):
    """Tells of the datasets of all experiments where one is asked for."""

    def search_datasets(self, experiment_ids: Sequence[str], max_results: int = 1000) -> Sequence[DatasetSummary]:
        everywhere = [each.experiment_id for each in self.search_experiments()]
        return super().search_datasets(everywhere if experiment_ids else (), max_results)


class UsesInTheBin(MemoryTrackingStore):
    """Tells of what deleted runs used, too."""

    def search_datasets(self, experiment_ids: Sequence[str], max_results: int = 1000) -> Sequence[DatasetSummary]:
        gone = self.search_runs(experiment_ids, view_type=ViewType.DELETED_ONLY)
        used = [
            DatasetSummary(run.info.experiment_id, each.dataset.name, each.dataset.digest)
            for run in gone
            for each in run.inputs.dataset_inputs
        ]
        return [*super().search_datasets(experiment_ids, max_results), *used]


class MeasuredIsUsed(MemoryTrackingStore):
    """Takes what metrics name for what runs used."""

    def search_datasets(self, experiment_ids: Sequence[str], max_results: int = 1000) -> Sequence[DatasetSummary]:
        models = self.search_logged_models(experiment_ids)
        named = {
            DatasetSummary(model.experiment_id, point.dataset_name, point.dataset_digest or "")
            for model in models
            for point in model.metrics
            if point.dataset_name
        }
        return [*named, *super().search_datasets(experiment_ids, max_results)]


FAULTS: dict[type[MemoryTrackingStore], str] = {
    UsesByRun: "test_each_use_of_a_dataset_is_told_once",
    UsesForNothing: "test_uses_for_different_things_are_told_apart",
    NumbersAsText: "test_uses_go_by_name_digest_context_and_experiment",
    LimitedTooEarly: "test_uses_go_by_name_digest_context_and_experiment",
    EverybodysData: "test_only_datasets_of_these_experiments_are_told",
    UsesInTheBin: "test_datasets_of_runs_in_the_bin_are_not_told",
    MeasuredIsUsed: "test_a_dataset_that_only_a_metric_names_is_no_use",
}
"""Every store with such a fault, and the story of the suite that must catch it."""
