"""Fluent verbs for runs: starting, taking up, ending and finding them."""

from __future__ import annotations

import atexit
import os
import sys
from contextlib import nullcontext, suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from dovetail import plugins, settings
from dovetail.errors import DovetailError, InvalidState, RunEnded, StoreError, StoreUnavailable
from dovetail.tracking import places, recorders, surroundings, system_metrics, termination
from dovetail.tracking.active import Active, ActiveRuns
from dovetail.tracking.client import Client
from dovetail.tracking.heartbeat import Heartbeat
from dovetail.tracking.holder import own_lease
from dovetail.tracking.recorder import DeliveryInterrupted
from dovetail.tracking.resuming import check_resume, check_step
from dovetail.tracking.starting import Asked, labels_of, start
from dovetail.values import Batch, Ending, LifecycleStage, Run, RunInfo, RunStatus
from dovetail.values.measure import now_ms

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType

    from typing_extensions import Self

    from dovetail.tracking.recorder import Recorder
    from dovetail.tracking.store import TrackingStore

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
_heartbeat = Heartbeat(lambda: {run.uri for run in _active.everywhere()})
_watched: int | None = None  # the process whose end is watched for


class ActiveRun(Run):
    """A run that is active until it is ended; as a context manager it ends itself.

    Leaving the block normally ends it as FINISHED, an exception as FAILED, Ctrl-C and SIGTERM as KILLED. Runs that were
    started in the block and left open end with it; one that was ended in the block stays as it was ended.
    """

    def __enter__(self) -> Self:
        """Use the run for the block."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the run; the exception goes on."""
        if error is not None:
            surroundings.say(self.info.run_id, error)
        failures = _end_each(_active.down_to(self.info.run_id), _status_after(error))
        if failures and error is None:
            raise failures[0]
        _report(failures)  # raising one would hide the script's own exception


@settings.steady()
def start_run(
    run_id: str | None = None,
    experiment_id: str | None = None,
    run_name: str | None = None,
    nested: bool = False,
    parent_run_id: str | None = None,
    tags: Mapping[str, Any] | None = None,
    description: str | None = None,
    log_system_metrics: bool | None = None,
    log_output: bool | None = None,
    log_environment: bool | None = None,
    key: str | None = None,
    resume: str = "allow",
    from_step: int | None = None,
) -> ActiveRun:
    """Start a run and make it the active one of this thread.

    While it is active this process gives its store signs of life: should it be killed, the run ends as CRASHED.

    Args:
        run_id: Take up this run instead of creating one; it becomes RUNNING again. By default the one that
            ``DOVETAIL_RUN_ID`` or ``MLFLOW_RUN_ID`` names, once.
        experiment_id: Where a new run goes; by default the experiment in force.
        run_name: By default a generated one; an existing run is renamed.
        nested: Allow it while another run is active; a new run becomes that run's child.
        parent_run_id: The run it becomes a child of.
        tags: Labels to set.
        description: Kept in the tag ``mlflow.note.content``.
        log_system_metrics: Whether metrics of the machine are logged while it runs, which takes the plugin
            ``dovetail-system-metrics``; by default the setting ``enable_system_metrics_logging``.
        log_output: Whether what the process prints while it runs is kept as ``logs/output.log``; by default the setting
            ``log_output``.
        log_environment: Whether installed packages, the command and uncommitted changes are kept, below
            ``dovetail/environment``; by default the setting ``log_environment``.
        key: A name of your choice for the run, within its experiment: whoever starts a run with the same key, on any
            machine, goes on with this one.
        resume: What is to be with that key: ``allow`` starts a run or goes on with it, ``must`` only goes on with one,
            ``never`` only starts one.
        from_step: The step that training goes on from, that of its checkpoint: points of that step and of later ones
            are taken away from the run that is taken up.

    Returns:
        The run, to be used in a ``with`` statement or ended by ``end_run``.

    Raises:
        InvalidState: A run is active and ``nested`` is false, or this thread has that very run active.
        NotFound: There is no such run, parent or experiment, or none of that key that must be there.
        AlreadyExists: There is a run of that key, and must be none.
        InvalidInput: What is asked for does not fit together.
        RunEnded: The run to take up, or the parent, is deleted.
        PluginMissing: ``log_system_metrics`` is true, and the plugin is not installed.
    """
    current = _active.current()
    if current is not None and not nested:
        raise InvalidState(
            f"Run {current.run_id} is already active.",
            hint="End it with end_run(), or start a child with start_run(nested=True).",
        )
    check_resume(resume, key, run_id)
    sampling = system_metrics.wanted(log_system_metrics)
    handed = _handed_down() if current is None and not run_id and key is None else None
    check_step(from_step, named=bool(run_id or key or handed))
    labels = labels_of(tags, description, parent_run_id)
    wanted = Asked(run_id or handed, key, resume, from_step, experiment_id, run_name, labels)
    run, again = start(wanted, _active)
    if handed:
        _no_longer_handed_down(handed)
    _make_active(run)
    system_metrics.plan(run.info.run_id, sampling)
    surroundings.begin(run, surroundings.asked(log_output, log_environment, again=again), again=again)
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


active_or_none = _active.current
"""The active run of this thread, with the place it is tracked at, or None: no call more, since the hot path asks."""


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


def _activated(run: Run) -> ActiveRun:
    return ActiveRun(run.info, run.data, run.inputs, run.outputs)


def _make_active(run: Run) -> None:
    """Make it what fluent calls log to, and see to its end whatever becomes of this process."""
    uri, lease = places.get_tracking_uri(), own_lease()
    _active.push(Active(run.info.run_id, uri, None if lease is None else lease.holder))
    places.recorder().meet(run)
    _end_with_worker()
    termination.watch()
    _heartbeat.keep_up(uri)


def _handed_down() -> str | None:
    """The run a launcher started for this process; None once it was taken up, so that the next one is a new run."""
    run_id: str | None = settings.get("run_id")
    return None if run_id in _handed_out else run_id


def _no_longer_handed_down(run_id: str) -> None:
    """Processes that this one starts must not take the run up again."""
    _handed_out.add(run_id)
    for variable in ("DOVETAIL_RUN_ID", "MLFLOW_RUN_ID"):
        os.environ.pop(variable, None)


# --- ending ---------------------------------------------------------------------------------------------------


def _status_after(error: BaseException | None) -> str:
    if error is None or (isinstance(error, SystemExit) and not error.code):
        return RunStatus.FINISHED
    interrupted = isinstance(error, (KeyboardInterrupt, termination.Terminated))
    return RunStatus.KILLED if interrupted else RunStatus.FAILED


@settings.steady()
def _end(run: Active, status: str) -> None:
    recorder = places.recorder(run.uri)
    if _active.remove(run.run_id):  # another thread took it up too and goes on logging to it
        _failure_of_flushing(recorder)
        return
    end, kept = Ending(status, now_ms(), run.holder), False
    try:
        surroundings.end(run.run_id)
        end = replace(end, end_time=now_ms())
        kept = recorder.end(run.run_id, end)
        kept = kept or not _end_at_once(recorder, run, end)
        away = _failure_of_flushing(recorder) or _failure_of_recovering(run)
    except BaseException:  # Ctrl-C, say: nobody comes back to this run
        if not kept:
            _is_kept(recorder, run, end)
        raise
    if away is not None:
        _leave_its_end_behind(run, end, away)
    else:
        recorder.forget(run.run_id)
        _tell_of_its_end(run)
    if not _active.everywhere():
        termination.unwatch()


def _leave_its_end_behind(run: Active, end: Ending, away: Exception) -> None:
    """How a run ended is kept for when its store takes that."""
    if not isinstance(away, DeliveryInterrupted):
        recorders.say_it_waits(run.uri, f"run {run.run_id} ended", away)
    ended = RunInfo.stored(run_id=run.run_id, experiment_id="", status=end.status, end_time=end.end_time)
    plugins.tell("dovetail_run_ended", run=Run(ended))  # all that is known of it here


def _tell_of_its_end(run: Active) -> None:
    if plugins.listens("dovetail_run_ended"):
        ended = Client(run.uri).get_run(run.run_id)
        deleted = ended.info.lifecycle_stage == LifecycleStage.DELETED
        if deleted or ended.info.status in RunStatus.ENDED:  # else somebody took it up meanwhile, and goes on
            plugins.tell("dovetail_run_ended", run=ended)


def _end_at_once(recorder: Recorder, run: Active, end: Ending) -> bool:
    """End a run of which nothing is on its way; False if that is kept, since somebody else holds the store up."""
    store = places.store_at(run.uri)
    hurry = store.at_once()
    if hurry is None and _is_kept(recorder, run, end):
        return False
    _failure_of_flushing(recorder)  # of an older journal; whoever waits for it hears of it below
    try:
        with hurry or nullcontext():
            _end_in(store, run, end)
    except StoreUnavailable:
        if hurry is None:
            raise
        if _is_kept(recorder, run, end):
            return False
        _end_in(store, run, end)
    return True


def _is_kept(recorder: Recorder, run: Active, end: Ending) -> bool:
    """Keep how a run ended; False where nothing can be kept, and the store has to be waited for."""
    try:
        return recorder.end(run.run_id, end, always=True)
    except StoreError:
        return False


def _end_in(store: TrackingStore, run: Active, end: Ending) -> None:
    with suppress(RunEnded):  # it was deleted meanwhile, and stays as it is
        store.log_batch(run.run_id, Batch.stored(metrics=(), params=(), tags=(), columns=(), end=end))


def _failure_of_recovering(run: Active) -> StoreUnavailable | None:
    """Bring in what children logged that died."""
    try:
        recorders.recover(places.store_at(run.uri))
    except StoreUnavailable as failure:
        return failure
    return None


def _failure_of_flushing(recorder: Recorder) -> Exception | None:
    try:
        recorder.flush()
    except Exception as failure:  # noqa: BLE001 - a store may have a mistake, too
        return failure
    return None


@atexit.register
def _end_all() -> None:
    """End what the script left open: by the exception that ended the interpreter, or as FINISHED."""
    status = RunStatus.KILLED if termination.was_terminated() else _status_after(sys.exc_info()[1] or _uncaught())
    _report(_end_each(_active.everywhere(), status))


def _end_each(runs: list[Active], status: str) -> list[Exception]:
    """End runs, each although another one could not be; what went wrong is the answer."""
    return [failure for run in runs if (failure := _failure_of_ending(run, status)) is not None]


def _failure_of_ending(run: Active, status: str) -> Exception | None:
    try:
        _end(run, status)
    except Exception as failure:  # noqa: BLE001 - the others are to be ended all the same
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


def _report(failures: list[Exception]) -> None:
    """Say it on standard error, since a warning could be turned into an exception where there must be none."""
    for failure in failures:
        said = failure if isinstance(failure, DovetailError) else repr(failure)
        sys.stderr.write(f"dovetail: a run could not be ended: {said}\n")


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_active.clear)
