"""How a run starts: as a new one, or as one that is taken up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from dovetail.errors import AlreadyExists, InvalidInput, InvalidState, RunEnded
from dovetail.tracking import places, recorders, surroundings
from dovetail.tracking.casting import as_tags, tag
from dovetail.tracking.creation import run_to_create
from dovetail.tracking.experiments import active_experiment_id
from dovetail.tracking.families import PARENT
from dovetail.tracking.holder import own_lease
from dovetail.tracking.resuming import KEY, keyed_run_id, require
from dovetail.tracking.rewinds import REWOUND, rewound
from dovetail.values import Batch, LifecycleStage, RunInfo, RunStatus
from dovetail.values.names import check_experiment_id, check_run_id

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dovetail.tracking.active import Active, ActiveRuns
    from dovetail.tracking.store import TrackingStore
    from dovetail.values import Lease, Run

__all__ = ["Asked", "labels_of", "start"]

_DESCRIPTION = "mlflow.note.content"


class Asked(NamedTuple):
    """What a run is to be.

    Args:
        run_id: Take up this one; None for a new one.
        key: Take up the one of this key, or make it.
        resume: One of ``resuming.RESUME``.
        from_step: The step that training goes on from; points of that step and of later ones are taken away.
        experiment_id: Where it goes; None for the experiment in force.
        run_name: What it is called; None for a generated name, or the one that it has.
        labels: Tags to set.
    """

    run_id: str | None
    key: str | None
    resume: str
    from_step: int | None
    experiment_id: str | None
    run_name: str | None
    labels: dict[str, Any]


def start(asked: Asked, runs: ActiveRuns) -> tuple[Run, bool]:
    """Start a run, this process seeing to it.

    Args:
        asked: What it is to be.
        runs: The runs that are active now: a new one becomes the child of this thread's.

    Returns:
        The run, and whether it was there before.

    Raises:
        DovetailError: As ``start_run`` says.
    """
    store = places.tracking_store()
    places.recorder()  # what is wrong with the settings of logging is said before there is a run
    if asked.key is not None:
        return _start_keyed(store, asked, runs)
    if asked.run_id is not None:
        _require_inactive(runs, asked.run_id)
        return _take_up(store, asked.run_id, asked), True
    return _create(store, asked, runs.current()), False


def labels_of(tags: Mapping[str, Any] | None, description: str | None, parent: str | None) -> dict[str, Any]:
    """The tags of a run that starts: those given, its description, and whose child it is.

    Raises:
        InvalidInput: The description is given twice.
        NotFound: There is no such parent.
        RunEnded: The parent is deleted.
    """
    labels: dict[str, Any] = {each.key: each.value for each in as_tags(tags)}
    if description is not None:
        if _DESCRIPTION in labels:
            raise InvalidInput(f"The description is given twice, as an argument and as the tag {_DESCRIPTION}.")
        labels[_DESCRIPTION] = description
    if parent is not None:
        labels[PARENT] = _not_deleted(places.tracking_store(), parent).run_id
    return labels


# --- steps ----------------------------------------------------------------------------------------------------


def _require_inactive(runs: ActiveRuns, run_id: str) -> None:
    if runs.on_this_thread(run_id):
        raise InvalidState(f"Run {run_id} is already active.", hint="Log to it as it is.")


def _start_keyed(store: TrackingStore, asked: Asked, runs: ActiveRuns) -> tuple[Run, bool]:
    assert asked.key is not None  # noqa: S101 - for type checkers
    experiment_id = active_experiment_id() if asked.experiment_id is None else asked.experiment_id
    run_id = keyed_run_id(store.get_experiment(check_experiment_id(experiment_id)).name, asked.key)
    _require_inactive(runs, run_id)
    if not require(store, run_id, asked.key, asked.resume):
        labels = {**asked.labels, KEY: asked.key}
        if asked.from_step is not None:
            # Another place may know the run and have later points of it.
            labels[REWOUND] = rewound({}, asked.from_step).value
        try:
            new = asked._replace(run_id=run_id, experiment_id=experiment_id, labels=labels)
            return _create(store, new, runs.current()), False
        except AlreadyExists:
            # Another process has just been faster.
            require(store, run_id, asked.key, asked.resume)
    # The run may have been moved meanwhile: its key finds it where it is.
    return _take_up(store, run_id, asked._replace(experiment_id=None)), True


def _create(store: TrackingStore, asked: Asked, active: Active | None) -> Run:
    where = active_experiment_id() if asked.experiment_id is None else asked.experiment_id
    labels = asked.labels
    if active is not None and active.uri == places.get_tracking_uri():  # a parent elsewhere would not be found
        labels = {PARENT: active.run_id, **labels}
    tags = {**surroundings.tags_of_new_run(), **labels}
    return store.create_run(run_to_create(where, None, tags, asked.run_name, asked.run_id, _lease_at(store)))


def _take_up(store: TrackingStore, run_id: str, asked: Asked) -> Run:
    if asked.labels.get(PARENT) == run_id:
        raise InvalidInput(f"Run {run_id} cannot be its own parent.")
    info, batch = _not_deleted(store, run_id), Batch(tags=as_tags(asked.labels))
    if asked.experiment_id is not None and check_experiment_id(asked.experiment_id) != info.experiment_id:
        raise InvalidInput(f"Run {run_id} is in experiment {info.experiment_id}, not in {asked.experiment_id}.")
    # What its process left when it died belongs before anything that is logged from now on.
    recorders.recover(store)
    name = None if asked.run_name is None else tag("mlflow.runName", asked.run_name).value
    store.update_run(run_id, status=RunStatus.RUNNING, name=name, lease=_lease_at(store))
    if asked.from_step is not None:
        store.log_batch(run_id, Batch(tags=(rewound(store.get_run(run_id).data.tags, asked.from_step),)))
        store.drop_points(run_id, asked.from_step)
    if batch:
        store.log_batch(run_id, batch)
    return store.get_run(run_id)


def _lease_at(store: TrackingStore) -> Lease | None:
    """Where a store ends with this process nobody is left to ask for signs of life."""
    return own_lease() if store.lasting else None


def _not_deleted(store: TrackingStore, run_id: str) -> RunInfo:
    info = store.get_run(check_run_id(run_id)).info
    if info.lifecycle_stage == LifecycleStage.DELETED:
        raise RunEnded(f"Run {run_id} is deleted.", hint="Restore it with restore_run() first.")
    return info
