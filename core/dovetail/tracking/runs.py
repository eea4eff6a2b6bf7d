"""Fluent verbs for runs: starting, taking up, ending and finding them."""

from __future__ import annotations

import atexit
import os
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from dovetail import plugins, settings
from dovetail.errors import DovetailError, InvalidInput, InvalidState, RunEnded
from dovetail.tracking import places
from dovetail.tracking.active import Active, ActiveRuns
from dovetail.tracking.casting import as_tags
from dovetail.tracking.client import Client
from dovetail.tracking.experiments import active_experiment_id
from dovetail.tracking.families import PARENT
from dovetail.tracking.source import source_tags
from dovetail.values import Batch, LifecycleStage, Run, RunStatus
from dovetail.values.names import check_experiment_id

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType

    from typing_extensions import Self

    from dovetail.values import RunInfo

__all__ = [
    "ActiveRun",
    "active_or_none",
    "active_run",
    "active_run_id",
    "active_run_id_or_none",
    "current_run",
    "delete_run",
    "end_run",
    "forget_runs",
    "get_parent_run",
    "get_run",
    "last_active_run",
    "restore_run",
    "start_run",
]

_active = ActiveRuns()
_handed_out: set[str] = set()  # runs a launcher named that were taken up
_watched: int | None = None  # the process whose end is watched for


class ActiveRun(Run):
    """A run that is active until it is ended; as a context manager it ends itself.

    Leaving the block normally ends it as FINISHED, an exception as FAILED, Ctrl-C as KILLED. Runs that were started in
    the block and left open end with it; one that was ended in the block stays as it was ended.
    """

    def __enter__(self) -> Self:
        """Use the run for the block."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the run; the exception goes on."""
        failures = _end_each(_active.down_to(self.info.run_id), _status_after(error))
        if failures and error is None:
            raise failures[0]
        _report(failures)  # raising one would hide the script's own exception


def start_run(
    run_id: str | None = None,
    experiment_id: str | None = None,
    run_name: str | None = None,
    nested: bool = False,
    parent_run_id: str | None = None,
    tags: Mapping[str, Any] | None = None,
    description: str | None = None,
    log_system_metrics: bool | None = None,
) -> ActiveRun:
    """Start a run and make it the active one of this thread.

    Args:
        run_id: Take up this run instead of creating one; it becomes RUNNING again. By default the one that
            ``DOVETAIL_RUN_ID`` or ``MLFLOW_RUN_ID`` names, once.
        experiment_id: Where a new run goes; by default the experiment in force.
        run_name: By default a generated one; an existing run is renamed.
        nested: Allow it while another run is active; a new run becomes that run's child.
        parent_run_id: The run it becomes a child of.
        tags: Labels to set.
        description: Kept in the tag ``mlflow.note.content``.
        log_system_metrics: False or None: no metrics of the machine are logged. True is not here yet.

    Returns:
        The run, to be used in a ``with`` statement or ended by ``end_run``.

    Raises:
        InvalidState: A run is active and ``nested`` is false, or this thread has that very run active.
        NotFound: There is no such run, parent or experiment.
        RunEnded: The run to take up, or the parent, is deleted.
    """
    if log_system_metrics:
        hint = "Leave out log_system_metrics=True."
        raise InvalidInput("This version of dovetail does not log metrics of the machine.", hint=hint)
    current = _active.current()
    if current is not None and not nested:
        raise _already_active(current.run_id, "End it with end_run(), or start a child with start_run(nested=True).")
    handed = _handed_down() if current is None and not run_id else None
    wanted = run_id or handed
    labels = _labels(tags, description, parent_run_id)
    run = _take_up(wanted, experiment_id, run_name, labels) if wanted else _create(experiment_id, run_name, labels)
    if handed:
        _no_longer_handed_down(handed)
    _active.push(Active(run.info.run_id, places.get_tracking_uri()))
    _end_with_worker()
    plugins.tell("dovetail_run_started", run=run)
    return _activated(run)


def end_run(status: str = RunStatus.FINISHED) -> None:
    """End the active run of this thread; without one nothing happens.

    Args:
        status: FINISHED, FAILED or KILLED.
    """
    checked = RunStatus.check_ended(status)
    if (current := _active.current()) is not None:
        _end(current, checked)


def active_run() -> ActiveRun | None:
    """The active run of this thread, as the store has it now, or None."""
    current = _active.current()
    return _activated(Client(current.uri).get_run(current.run_id)) if current else None


def current_run() -> Active:
    """The active run of this thread, with the place it is tracked at; one is started if there is none."""
    if _active.current() is None:
        start_run()
    current = _active.current()
    assert current is not None, "start_run() makes a run the active one"  # noqa: S101 - for type checkers
    return current


def active_or_none() -> Active | None:
    """The active run of this thread, with the place it is tracked at, or None."""
    return _active.current()


def active_run_id_or_none() -> str | None:
    """The id of the active run of this thread, or None."""
    current = _active.current()
    return current.run_id if current else None


def active_run_id() -> str:
    """The id of the active run of this thread; one is started if there is none."""
    return current_run().run_id


def last_active_run() -> Run | None:
    """The active run of this thread, or the one it had last; in a thread that had none, the last of the process."""
    latest = _active.current() or _active.latest()
    return Client(latest.uri).get_run(latest.run_id) if latest else None


def get_run(run_id: str) -> Run:
    """The run with its latest metrics, params and tags. Raises ``NotFound``."""
    return Client().get_run(run_id)


def get_parent_run(run_id: str) -> Run | None:
    """The run's parent, or None if it has none."""
    return Client().get_parent_run(run_id)


def delete_run(run_id: str, cascade: bool = False) -> None:
    """Put a run in the bin.

    Args:
        run_id: The run.
        cascade: Whether its children and all below them go, too.

    Raises:
        NotFound: There is no such run.
    """
    Client().delete_run(run_id, cascade)


def restore_run(run_id: str, cascade: bool = False) -> None:
    """Take a run out of the bin.

    Args:
        run_id: The run.
        cascade: Whether its children and all below them come back, too.

    Raises:
        NotFound: There is no such run.
        InvalidState: Its experiment is deleted.
    """
    Client().restore_run(run_id, cascade)


def forget_runs() -> None:
    """Be as if the process had just started: no run is active or was; none of them is ended."""
    _active.clear()
    _handed_out.clear()


# --- starting -------------------------------------------------------------------------------------------------


def _already_active(run_id: str, hint: str) -> InvalidState:
    return InvalidState(f"Run {run_id} is already active.", hint=hint)


def _activated(run: Run) -> ActiveRun:
    return ActiveRun(run.info, run.data, run.inputs, run.outputs)


def _handed_down() -> str | None:
    """The run a launcher started for this process; None once it was taken up, so that the next one is a new run."""
    run_id: str | None = settings.get("run_id")
    return None if run_id in _handed_out else run_id


def _no_longer_handed_down(run_id: str) -> None:
    """Processes that this one starts must not take the run up again."""
    _handed_out.add(run_id)
    for variable in ("DOVETAIL_RUN_ID", "MLFLOW_RUN_ID"):
        os.environ.pop(variable, None)


def _labels(tags: Mapping[str, Any] | None, description: str | None, parent: str | None) -> dict[str, Any]:
    labels: dict[str, Any] = {each.key: each.value for each in as_tags(tags)}
    if description is not None:
        if "mlflow.note.content" in labels:
            raise InvalidInput("The description is given twice, as an argument and as the tag mlflow.note.content.")
        labels["mlflow.note.content"] = description
    if parent is not None:
        labels[PARENT] = _not_deleted(parent).run_id
    return labels


def _not_deleted(run_id: str) -> RunInfo:
    info = Client().get_run(run_id).info
    if info.lifecycle_stage == LifecycleStage.DELETED:
        raise RunEnded(f"Run {run_id} is deleted.", hint="Restore it with restore_run() first.")
    return info


def _create(experiment_id: str | None, run_name: str | None, labels: dict[str, Any]) -> Run:
    where = active_experiment_id() if experiment_id is None else experiment_id
    current = _active.current()
    if current is not None and current.uri == places.get_tracking_uri():  # a parent elsewhere would not be found
        labels = {PARENT: current.run_id, **labels}
    return Client().create_run(where, tags={**source_tags(), **labels}, run_name=run_name)


def _take_up(run_id: str, experiment_id: str | None, run_name: str | None, labels: dict[str, Any]) -> Run:
    if _active.on_this_thread(run_id):
        raise _already_active(run_id, "Log to it as it is.")
    if labels.get(PARENT) == run_id:
        raise InvalidInput(f"Run {run_id} cannot be its own parent.")
    info, batch = _not_deleted(run_id), Batch(tags=as_tags(labels))
    if experiment_id is not None and check_experiment_id(experiment_id) != info.experiment_id:
        raise InvalidInput(f"Run {run_id} is in experiment {info.experiment_id}, not in {experiment_id}.")
    client = Client()
    client.update_run(run_id, status=RunStatus.RUNNING, name=run_name)
    if batch:
        client.store.log_batch(run_id, batch)
    return client.get_run(run_id)


# --- ending ---------------------------------------------------------------------------------------------------


def _status_after(error: BaseException | None) -> str:
    if error is None or (isinstance(error, SystemExit) and not error.code):
        return RunStatus.FINISHED
    return RunStatus.KILLED if isinstance(error, KeyboardInterrupt) else RunStatus.FAILED


def _end(run: Active, status: str) -> None:
    places.recorder(run.uri).flush()
    if _active.remove(run.run_id):
        return  # another thread took it up too and goes on logging to it
    client = Client(run.uri)
    with suppress(RunEnded):  # it was deleted meanwhile, and stays as it is
        client.set_terminated(run.run_id, status)
    plugins.tell("dovetail_run_ended", run=client.get_run(run.run_id))


@atexit.register
def _end_all() -> None:
    """End what the script left open: by the exception that ended the interpreter, or as FINISHED."""
    _report(_end_each(_active.everywhere(), _status_after(sys.exc_info()[1] or _uncaught())))


def _end_each(runs: list[Active], status: str) -> list[DovetailError]:
    """End runs, each although another one could not be; what went wrong is the answer."""
    return [failure for run in runs if (failure := _failure_of_ending(run, status)) is not None]


def _failure_of_ending(run: Active, status: str) -> DovetailError | None:
    try:
        _end(run, status)
    except DovetailError as failure:
        return failure
    return None


def _uncaught() -> BaseException | None:
    # The interpreter notes an uncaught exception here; interactive ones go on after it, so there it means nothing.
    return None if hasattr(sys, "ps1") else getattr(sys, "last_value", None)


def _end_with_worker() -> None:
    """See to it that open runs end with a process of multiprocessing's, which leaves without atexit.

    Before Python 3.13 they end by the exception that ended the worker; later ones do not tell, and they are FINISHED.
    """
    global _watched  # noqa: PLW0603 - once a process is enough
    process = sys.modules.get("multiprocessing.process")
    if process is not None and process.parent_process() is not None and _watched != os.getpid():
        from multiprocessing.util import Finalize

        _watched = os.getpid()
        Finalize(None, _end_all, exitpriority=100)


def _report(failures: list[DovetailError]) -> None:
    """Say it on standard error, since a warning could be turned into an exception where there must be none."""
    for failure in failures:
        sys.stderr.write(f"dovetail: a run could not be ended: {failure}\n")


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_active.clear)
