"""Searches over values that lie in memory: what every store answers like, and what stores of files answer with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dovetail.tracking.columns import projected
from dovetail.tracking.filters import matches, parse_datasets, parse_filter, parse_order, sort_subjects
from dovetail.tracking.pages import page_of
from dovetail.tracking.subjects import ExperimentSubject, LoggedModelSubject, RunSubject
from dovetail.values import Page, ViewType

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from dovetail.values import Experiment, LoggedModel, Run

__all__ = ["found_experiments", "found_logged_models", "found_runs"]


def found_experiments(
    experiments: Iterable[Experiment],
    filter_string: str | None,
    order_by: Sequence[str],
    view_type: ViewType,
    max_results: int,
    page_token: str | None,
) -> Page[Experiment]:
    """The page of these experiments that ``TrackingStore.search_experiments`` promises.

    Raises:
        InvalidFilter: The filter or order cannot be parsed, or the token is not one of this search.
    """
    tree, order = parse_filter(filter_string, "experiments"), parse_order(order_by, "experiments")
    shown = [each for each in experiments if each.lifecycle_stage in view_type.stages]
    shown.sort(key=lambda each: (each.creation_time or 0, int(each.experiment_id)), reverse=True)
    found = [subject for subject in map(ExperimentSubject, shown) if matches(tree, subject)]
    ordered = [subject.experiment for subject in sort_subjects(found, order)]
    return page_of(ordered, max_results, page_token, ("experiments", str(tree), *map(str, order), view_type.name))


def found_runs(
    runs: Callable[[], Iterable[Run]],
    experiment_ids: Sequence[str],
    filter_string: str | None,
    order_by: Sequence[str],
    view_type: ViewType,
    max_results: int,
    page_token: str | None,
    columns: Sequence[str] | None,
) -> Page[Run]:
    """The page of runs that ``TrackingStore.search_runs`` promises.

    Args:
        runs: Gives the runs of these experiments, those in the bin too; called when the filter could be parsed.
        experiment_ids: Where is looked; a token is good for these alone.
        filter_string: Which runs; None for all.
        order_by: What to sort by.
        view_type: Whether to look into the bin.
        max_results: The most runs on the page.
        page_token: The token of the page before.
        columns: What the runs shall hold; None for everything.

    Raises:
        InvalidFilter: The filter, order or columns cannot be parsed, or the token is not one of this search.
    """
    tree, order = parse_filter(filter_string), parse_order(order_by)
    shown = [each for each in runs() if each.info.lifecycle_stage in view_type.stages]
    shown.sort(key=lambda run: (-run.info.start_time, run.info.run_id))
    found = [subject for subject in map(RunSubject, shown) if matches(tree, subject)]
    ordered = [subject.run for subject in sort_subjects(found, order)]
    search = ("runs", *sorted(set(experiment_ids)), str(tree), *map(str, order), view_type.name)
    page = page_of(ordered, max_results, page_token, search)
    return page if columns is None else Page(projected(page, columns), page.token)


def found_logged_models(
    models: Callable[[], Iterable[LoggedModel]],
    experiment_ids: Sequence[str],
    filter_string: str | None,
    datasets: Sequence[Mapping[str, Any]],
    order_by: Sequence[Mapping[str, Any] | str],
    max_results: int,
    page_token: str | None,
    view_type: ViewType = ViewType.ACTIVE_ONLY,
) -> Page[LoggedModel]:
    """The page of logged models that ``TrackingStore.search_logged_models`` promises.

    Args:
        models: Gives the models of these experiments in the view; called when the filter could be parsed.
        experiment_ids: Where is looked; a token is good for these alone.
        filter_string: Which models.
        datasets: What the points that count were measured on.
        order_by: What to sort by.
        max_results: The most models on the page.
        page_token: The token of the page before.
        view_type: Whether models in the bin are among them; a token is good for this view alone.

    Raises:
        InvalidFilter: Filter, datasets or order cannot be read, or the token is not one of this search.
    """
    tree, order = parse_filter(filter_string, "logged_models"), parse_order(order_by, "logged_models")
    choices = parse_datasets(datasets)
    shown = sorted(models(), key=lambda each: (-each.creation_timestamp, each.model_id))
    subjects = [LoggedModelSubject(model, choices) for model in shown]
    found = [subject for subject in subjects if subject.measured and matches(tree, subject)]
    ordered = [subject.model for subject in sort_subjects(found, order)]
    search = ("models", *sorted(set(experiment_ids)), str(tree), *map(str, choices), *map(str, order), view_type.name)
    return page_of(ordered, max_results, page_token, search)
