"""Runs that move to another experiment."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dovetail.errors import InvalidInput, NotFound, RunEnded
from dovetail.tracking import places
from dovetail.tracking.families import descendants
from dovetail.values import LifecycleStage
from dovetail.values.names import MAX_INT, check_run_id, check_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dovetail.tracking.store import TrackingStore
    from dovetail.values import Experiment

__all__ = ["experiment_meant", "move_runs"]


def move_runs(run_ids: Sequence[str] | str, experiment: str, *, children: bool = False) -> list[str]:
    """Put runs into another experiment, with all they logged.

    Their artifacts stay where they are, and so do logged models that they made. A run that is there already stays.

    Args:
        run_ids: The runs; a single id is accepted.
        experiment: The experiment's id or name.
        children: Whether the runs below them go, too, wherever these lie; deleted ones stay in the bin, where they are.

    Returns:
        The runs that are there now, in the order in which they moved.

    Raises:
        NotFound: There is no such run or experiment; no run was moved.
        InvalidInput: The experiment is deleted, or one has that id and another one that name; no run was moved.
        RunEnded: One of the runs is deleted; no run was moved.
    """
    store = places.tracking_store()
    named = [check_run_id(each) for each in ([run_ids] if isinstance(run_ids, str) else run_ids)]
    target = experiment_meant(store, experiment)
    if target.lifecycle_stage == LifecycleStage.DELETED:
        raise InvalidInput(f"Experiment {target.experiment_id} ({target.name}) is deleted.", hint="Restore it first.")
    moving = list(dict.fromkeys(named))
    for run_id in moving:
        _require_active(store, run_id)
    if children:
        moving += [each for each in descendants(store, moving) if not _is_deleted(store, each)]
    for run_id in moving:
        store.move_run(run_id, target.experiment_id)
    return moving


def experiment_meant(store: TrackingStore, experiment: str) -> Experiment:
    """The experiment of that id or name.

    Raises:
        NotFound: There is none.
        InvalidInput: One has that id, and another one that name.
    """
    by_name = store.get_experiment_by_name(check_text("experiment name", experiment, MAX_INT))
    try:
        by_id = store.get_experiment(experiment)
    except NotFound as error:
        if by_name is None:
            raise NotFound(
                f"No experiment has the id or name {experiment!r}.", hint="See `dovetail experiments search -v all`."
            ) from error
        return by_name
    if by_name is not None and by_name.experiment_id != by_id.experiment_id:
        raise InvalidInput(
            f"{experiment!r} is the id of one experiment and the name of another.",
            hint=f"The other one's id is {by_name.experiment_id}.",
        )
    return by_id


def _is_deleted(store: TrackingStore, run_id: str) -> bool:
    return store.get_run(run_id).info.lifecycle_stage == LifecycleStage.DELETED


def _require_active(store: TrackingStore, run_id: str) -> None:
    if _is_deleted(store, run_id):
        raise RunEnded(f"Run {run_id} is deleted; no run was moved.", hint="Restore it first.")
