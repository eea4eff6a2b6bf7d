"""Searches over values that lie in memory: what every store answers like, and what stores of files answer with."""

# ruff: noqa: D102 - the docstrings of searches stand in the interface

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any

from dovetail.tracking.columns import projected
from dovetail.tracking.filters import matches, parse_datasets, parse_filter, parse_order, sort_subjects
from dovetail.tracking.pages import page_of
from dovetail.tracking.store import TrackingStore
from dovetail.tracking.subjects import ExperimentSubject, LoggedModelSubject, RunSubject
from dovetail.values import Page, ViewType

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from dovetail.values import Experiment, LoggedModel, Run

__all__ = ["ReferenceSearch"]


class ReferenceSearch(TrackingStore):
    """The searches of a store that can give all it has; it says what there is, and nothing is parsed for nothing."""

    def search_experiments(
        self,
        filter_string: str | None = None,
        order_by: Sequence[str] = (),
        view_type: ViewType = ViewType.ACTIVE_ONLY,
        max_results: int = 1000,
        page_token: str | None = None,
    ) -> Page[Experiment]:
        tree, order = parse_filter(filter_string, "experiments"), parse_order(order_by, "experiments")
        shown = [each for each in self._all_experiments() if each.lifecycle_stage in view_type.stages]
        shown.sort(key=lambda each: (each.creation_time or 0, int(each.experiment_id)), reverse=True)
        found = [subject for subject in map(ExperimentSubject, shown) if matches(tree, subject)]
        ordered = [subject.experiment for subject in sort_subjects(found, order)]
        return page_of(ordered, max_results, page_token, ("experiments", str(tree), *map(str, order), view_type.name))

    def search_runs(
        self,
        experiment_ids: Sequence[str],
        filter_string: str | None = None,
        order_by: Sequence[str] = (),
        view_type: ViewType = ViewType.ACTIVE_ONLY,
        max_results: int = 1000,
        page_token: str | None = None,
        columns: Sequence[str] | None = None,
    ) -> Page[Run]:
        tree, order = parse_filter(filter_string), parse_order(order_by)
        shown = [each for each in self._runs_of(experiment_ids) if each.info.lifecycle_stage in view_type.stages]
        shown.sort(key=lambda run: (-run.info.start_time, run.info.run_id))
        found = [subject for subject in map(RunSubject, shown) if matches(tree, subject)]
        ordered = [subject.run for subject in sort_subjects(found, order)]
        search = ("runs", *sorted(set(experiment_ids)), str(tree), *map(str, order), view_type.name)
        page = page_of(ordered, max_results, page_token, search)
        runs = [self._handed_out(run) for run in page] if columns is None else projected(page, columns)
        return Page(runs, page.token)

    def search_logged_models(
        self,
        experiment_ids: Sequence[str],
        filter_string: str | None = None,
        datasets: Sequence[Mapping[str, Any]] = (),
        order_by: Sequence[Mapping[str, Any] | str] = (),
        max_results: int = 1000,
        page_token: str | None = None,
        view_type: ViewType = ViewType.ACTIVE_ONLY,
    ) -> Page[LoggedModel]:
        tree, order = parse_filter(filter_string, "logged_models"), parse_order(order_by, "logged_models")
        choices = parse_datasets(datasets)
        models = self._models_of(experiment_ids, view_type)
        shown = sorted(models, key=lambda each: (-each.creation_timestamp, each.model_id))
        subjects = [LoggedModelSubject(model, choices) for model in shown]
        found = [subject for subject in subjects if subject.measured and matches(tree, subject)]
        ordered = [subject.model for subject in sort_subjects(found, order)]
        # A token is good for this very search alone.
        asked = (*sorted(set(experiment_ids)), str(tree), *map(str, choices), *map(str, order), view_type.name)
        return page_of(ordered, max_results, page_token, ("models", *asked))

    def _handed_out(self, run: Run) -> Run:
        """A run for the caller, who may change it; for stores that keep what they give."""
        return run

    # --- what a store says -----------------------------------------------------------------------------------

    @abstractmethod
    def _all_experiments(self) -> Iterable[Experiment]:
        """All experiments, those in the bin too."""

    @abstractmethod
    def _runs_of(self, experiment_ids: Sequence[str]) -> Iterable[Run]:
        """The runs of these experiments, those in the bin too."""

    @abstractmethod
    def _models_of(self, experiment_ids: Sequence[str], view_type: ViewType) -> Iterable[LoggedModel]:
        """The logged models of these experiments in the view; those of deleted experiments are in none."""
