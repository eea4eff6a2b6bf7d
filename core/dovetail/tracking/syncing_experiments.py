"""Bringing all that a source has into a store: experiments by their names, then models, then runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dovetail.errors import AlreadyExists, StoreUnavailable
from dovetail.tracking.syncing_models import Models
from dovetail.tracking.syncing_plan import Target
from dovetail.tracking.syncing_runs import Runs, checked
from dovetail.values import LifecycleStage, Tag

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from dovetail.tracking.store import TrackingStore
    from dovetail.tracking.syncing_files import Files
    from dovetail.tracking.syncing_report import SyncReport
    from dovetail.tracking.syncing_source import Source
    from dovetail.values import Experiment

__all__ = ["bring"]


def bring(
    source: Source,
    store: TrackingStore,
    report: SyncReport,
    experiments: Iterable[Experiment] | None = None,
    *,
    files: Files | None = None,
    located: Callable[[Experiment], str | None] | None = None,
    thorough: bool = False,
    progress: Callable[[str], None] | None = None,
) -> None:
    """Bring what a source has into a store; the steps of ``sync``.

    Args:
        source: Where from.
        store: Where to.
        report: Told what was done.
        experiments: Which of the source's; None for all.
        files: Copies artifacts; None if they stay where they are.
        located: Gives the artifact location of an experiment that is made; by default the destination's own.
        thorough: Whether to compare histories of which the latest points are equal.
        progress: Told the id of each run that is done.

    Raises:
        StoreError: One of them fails; what was written stays.
    """
    chosen = source.experiments() if experiments is None else list(experiments)
    tell = progress or _nobody
    models, runs = Models(source, store, report, files), Runs(source, store, report, files, thorough=thorough)
    try:
        targets = {each.experiment_id: target for each in chosen if (target := _target(store, each, report, located))}
        # A run may have used any model, and a model may be measured by any run.
        for experiment_id, target in targets.items():
            models.bring(experiment_id, target)
        for experiment_id, target in targets.items():
            runs.bring(experiment_id, target, tell)
        if not report.dry_run:
            for experiment_id in targets:
                models.measure(experiment_id)
    except StoreUnavailable as failure:
        hint = "What was brought stays; the same command goes on with the rest."
        raise type(failure)(failure.message, hint=f"{failure.hint} {hint}" if failure.hint else hint) from failure


def _target(
    store: TrackingStore, experiment: Experiment, report: SyncReport, located: Callable[[Experiment], str | None] | None
) -> Target | None:
    """The destination's experiment of the same name, with the source's tags; None if it cannot be had."""
    with report.refusing("experiment", experiment.name):
        there = store.get_experiment_by_name(experiment.name)
        if there is None:
            return _create(store, experiment, report, located)
        if there.lifecycle_stage != LifecycleStage.DELETED:
            _add_tags(store, experiment, there, report)
            return Target(there.experiment_id, there.artifact_location)
        report.refuse("experiment", experiment.name, "It was deleted at the destination.")
    return None


def _create(
    store: TrackingStore, experiment: Experiment, report: SyncReport, located: Callable[[Experiment], str | None] | None
) -> Target:
    report.experiments_created += 1
    location = located(experiment) if located is not None else None
    if report.dry_run:
        return Target(None, location or "")
    tags = tuple(checked(report, "tag", experiment.name, experiment.tags, Tag))
    try:
        made = store.create_experiment(experiment.name, location, tags, experiment.creation_time)
        return Target(made, location or "")
    except AlreadyExists:  # another synchronization was faster
        there = store.get_experiment_by_name(experiment.name)
        if there is None:
            raise
        return Target(there.experiment_id, there.artifact_location)


def _add_tags(store: TrackingStore, experiment: Experiment, there: Experiment, report: SyncReport) -> None:
    lacking = {key: value for key, value in experiment.tags.items() if key not in there.tags}
    report.kept += sum(there.tags.get(key, value) != value for key, value in experiment.tags.items())
    tags = tuple(checked(report, "tag", experiment.name, lacking, Tag))
    if tags and not report.dry_run:
        store.set_experiment_tags(there.experiment_id, tags)


def _nobody(run_id: str) -> None:
    del run_id
