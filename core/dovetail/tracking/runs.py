"""Fluent verbs for runs: starting, taking up, ending and finding them."""

from __future__ import annotations

import atexit
import os
import sys
from typing import TYPE_CHECKING, Any

from dovetail import plugins, settings
from dovetail.errors import InvalidInput, InvalidState, RunEnded
from dovetail.tracking import places
from dovetail.tracking.active import ActiveRuns
from dovetail.tracking.casting import as_tags
from dovetail.tracking.client import Client
from dovetail.tracking.experiments import active_experiment_id
from dovetail.tracking.source import source_tags
from dovetail.values import Batch, LifecycleStage, Run, RunStatus

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType

    from typing_extensions import Self

__all__ = [
    "ActiveRun",
    "active_run",
    "delete_run",
    "end_run",
    "get_parent_run",
    "get_run",
    "last_active_run",
    "restore_run",
    "start_run",
]

_active = ActiveRuns()


class ActiveRun(Run):
    """A run that is active until it is ended; as a context manager it ends itself.

    Leaving the block normally ends it as FINISHED, an exception as FAILED, Ctrl-C as KILLED.
    """

    def __enter__(self) -> Self:
        """Use the run for the block."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the run; the exception goes on."""
        _end(self.info.run_id, _status_after(kind, error))


def start_run(
    run_id: str | None = None,
    experiment_id: str | None = None,
    run_name: str | None = None,
    nested: bool = False,
    parent_run_id: str | None = None,
    tags: Mapping[str, Any] | None = None,
    description: str | None = None,
) -> ActiveRun:
    """Start a run and make it the active one of this thread.

    Args:
        run_id: Take up this run instead of creating one; it becomes RUNNING again. By default the one that
            ``DOVETAIL_RUN_ID`` or ``MLFLOW_RUN_ID`` names, once.
        experiment_id: Where a new run goes; by default the experiment in force.
        run_name: By default a generated one; an existing run is renamed.
        nested: Allow it while another run is active, and make it that run's child.
        parent_run_id: The run it becomes a child of.
        tags: Labels to set.
        description: Kept in the tag ``mlflow.note.content``.

    Returns:
        The run, to be used in a ``with`` statement or ended by ``end_run``.

    Raises:
        InvalidState: A run is active and ``nested`` is false.
        NotFound: There is no such run, parent or experiment.
        RunEnded: The run to take up is deleted.
    """
    current = _active.current()
    if current is not None and not nested:
        raise InvalidState(
            f"Run {current} is already active.",
            hint="End it with end_run(), or start a child with start_run(nested=True).",
        )
    wanted = run_id or (_handed_down() if current is None else None)
    labels = _labels(tags, description, parent_run_id or (current if nested else None))
    run = _take_up(wanted, experiment_id, run_name, labels) if wanted else _create(experiment_id, run_name, labels)
    _active.push(run.info.run_id)
    plugins.tell("dovetail_run_started", run=run)
    return _activated(run)


def end_run(status: str = RunStatus.FINISHED) -> None:
    """End the active run of this thread; without one nothing happens.

    Args:
        status: FINISHED, FAILED or KILLED.
    """
    checked = RunStatus.check(status)
    if (current := _active.current()) is not None:
        _end(current, checked)


def active_run() -> ActiveRun | None:
    """The active run of this thread, as the store has it now, or None."""
    current = _active.current()
    return _activated(Client().get_run(current)) if current else None


def active_run_id_or_none() -> str | None:
    """The id of the active run of this thread, or None."""
    return _active.current()


def active_run_id() -> str:
    """The id of the active run of this thread; one is started if there is none."""
    return _active.current() or start_run().info.run_id


def last_active_run() -> Run | None:
    """The active run, or the one that was active last in this process."""
    latest = _active.current() or _active.latest
    return get_run(latest) if latest else None


def get_run(run_id: str) -> Run:
    """The run with its latest metrics, params and tags. Raises ``NotFound``."""
    return Client().get_run(run_id)


def get_parent_run(run_id: str) -> Run | None:
    """The run's parent, or None if it has none."""
    return Client().get_parent_run(run_id)


def delete_run(run_id: str) -> None:
    """Put a run in the bin."""
    Client().delete_run(run_id)


def restore_run(run_id: str) -> None:
    """Take a run out of the bin."""
    Client().restore_run(run_id)


def _activated(run: Run) -> ActiveRun:
    return ActiveRun(run.info, run.data)


def _handed_down() -> str | None:
    """The run a launcher started for this process; used once, so that a second start_run makes a new run."""
    run_id = settings.get("run_id")
    for variable in ("DOVETAIL_RUN_ID", "MLFLOW_RUN_ID"):
        os.environ.pop(variable, None)
    return str(run_id) if run_id else None


def _labels(tags: Mapping[str, Any] | None, description: str | None, parent: str | None) -> dict[str, Any]:
    labels = dict(tags or {})
    if description is not None:
        if "mlflow.note.content" in labels:
            raise InvalidInput("The description is given twice, as an argument and as the tag mlflow.note.content.")
        labels["mlflow.note.content"] = description
    if parent is not None:
        labels["mlflow.parentRunId"] = Client().get_run(parent).info.run_id
    return labels


def _create(experiment_id: str | None, run_name: str | None, labels: dict[str, Any]) -> Run:
    where = experiment_id or active_experiment_id()
    return Client().create_run(where, tags={**source_tags(), **labels}, run_name=run_name)


def _take_up(run_id: str, experiment_id: str | None, run_name: str | None, labels: dict[str, Any]) -> Run:
    client = Client()
    info = client.get_run(run_id).info
    if info.lifecycle_stage == LifecycleStage.DELETED:
        raise RunEnded(f"Run {run_id} is deleted.", hint="Restore it with Client().restore_run() first.")
    if experiment_id is not None and str(experiment_id) != info.experiment_id:
        raise InvalidInput(f"Run {run_id} is in experiment {info.experiment_id}, not in {experiment_id}.")
    client.update_run(run_id, status=RunStatus.RUNNING, name=run_name)
    if labels:
        client.store.log_batch(run_id, Batch(tags=as_tags(labels)))
    return client.get_run(run_id)


def _status_after(kind: type[BaseException] | None, error: BaseException | None) -> str:
    if kind is None or (isinstance(error, SystemExit) and not error.code):
        return RunStatus.FINISHED
    return RunStatus.KILLED if issubclass(kind, KeyboardInterrupt) else RunStatus.FAILED


def _end(run_id: str, status: str) -> None:
    places.recorder().flush()
    client = Client()
    _active.remove(run_id)
    client.set_terminated(run_id, status)
    plugins.tell("dovetail_run_ended", run=client.get_run(run_id))


@atexit.register
def _end_all() -> None:
    """End what the script left open: as FAILED if an exception ended the interpreter, else as FINISHED."""
    # The interpreter notes an uncaught exception here; interactive ones go on after it, so there it means nothing.
    crashed = getattr(sys, "last_value", None) is not None and not hasattr(sys, "ps1")
    for run_id in _active.everywhere():
        _end(run_id, RunStatus.FAILED if crashed else RunStatus.FINISHED)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_active.clear)
