"""A tracking store that remembers what runs are, and drops what they log."""

from __future__ import annotations

import os
import threading
from dataclasses import replace
from itertools import count
from typing import TYPE_CHECKING

from dovetail import settings, uris
from dovetail.errors import AlreadyExists, InvalidInput, InvalidState, NotFound, RunEnded
from dovetail.tracking.filters import parse_columns, parse_filter, parse_order
from dovetail.values import (
    DEFAULT_EXPERIMENT_ID,
    DEFAULT_EXPERIMENT_NAME,
    Experiment,
    LifecycleStage,
    Page,
    Run,
    RunData,
    RunInfo,
    RunStatus,
    ViewType,
)
from dovetail.values.measure import now_ms
from dovetail_null.bin import NullBin
from dovetail_null.logged_models import NullLoggedModels
from dovetail_null.recent import Recent

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dovetail.values import Batch, JournalMark, Lease, LoggedModel, Metric, NewRun, Tag

__all__ = ["NullTrackingStore"]

URI = "null:"
_REMEMBERED = 1000  # runs, and as many experiments
_NAME = "mlflow.runName"

_lock = threading.RLock()


class NullTrackingStore(NullLoggedModels, NullBin):
    """Remembers the latest runs and experiments of this process as what they are, and nothing that was logged.

    An id it does not know is taken for one of another process's: a script's children take up the script's run. So it
    promises neither durability nor that a write is read back, and is not held to ``TrackingStoreSuite``.
    """

    lasting = False

    def __init__(self) -> None:
        self.uri = URI
        self._experiments: Recent[Experiment] = Recent(_REMEMBERED)
        self._runs: Recent[Run] = Recent(_REMEMBERED)
        self._models: Recent[LoggedModel] = Recent(_REMEMBERED)
        self._binned_models: Recent[str] = Recent(_REMEMBERED)
        self._ids = count(1)

    # --- experiments -----------------------------------------------------------------------------------------

    def create_experiment(
        self,
        name: str,
        artifact_location: str | None = None,
        tags: Sequence[Tag] = (),
        creation_time: int | None = None,
    ) -> str:
        """Make an experiment and return its id; its artifacts go nowhere, whatever their location should be.

        Raises:
            AlreadyExists: This process has one of that name.
        """
        del artifact_location
        with _lock:
            self._require_free(name)
            experiment = replace(_experiment(str(next(self._ids)), name), tags=_as_dict(tags))
            if creation_time is not None:
                experiment = replace(experiment, creation_time=creation_time, last_update_time=creation_time)
            self._experiments.put(experiment.experiment_id, experiment)
            return experiment.experiment_id

    def get_experiment(self, experiment_id: str) -> Experiment:
        """The experiment of that id; one that is not known is taken for another process's."""
        with _lock:
            default = experiment_id == DEFAULT_EXPERIMENT_ID
            name = DEFAULT_EXPERIMENT_NAME if default else f"Experiment {experiment_id} of another process"
            return self._experiments.get(experiment_id) or _experiment(experiment_id, name)

    def get_experiment_by_name(self, name: str) -> Experiment | None:
        """The experiment that this process made under that name, the default one, or None."""
        with _lock:
            known = (*self._experiments, self.get_experiment(DEFAULT_EXPERIMENT_ID))
        return next((each for each in known if each.name == name), None)

    def search_experiments(
        self,
        filter_string: str | None = None,
        order_by: Sequence[str] = (),
        view_type: ViewType = ViewType.ACTIVE_ONLY,
        max_results: int = 1000,
        page_token: str | None = None,
    ) -> Page[Experiment]:
        """Nothing, if the filter and the order can be parsed."""
        del view_type, max_results, page_token
        parse_filter(filter_string, "experiments")
        parse_order(order_by, "experiments")
        return Page([])

    def rename_experiment(self, experiment_id: str, name: str) -> None:
        """Give the experiment another name."""
        with _lock:
            experiment = self.get_experiment(experiment_id)
            if experiment.lifecycle_stage == LifecycleStage.DELETED:
                raise InvalidState(f"Experiment {experiment_id} is deleted.", hint="Restore it first.")
            if name != experiment.name:
                self._require_free(name)
            self._keep(replace(experiment, name=name))

    def delete_experiment(self, experiment_id: str) -> None:
        """Put the experiment and its runs in the bin."""
        self._stage(experiment_id, LifecycleStage.ACTIVE, LifecycleStage.DELETED)

    def restore_experiment(self, experiment_id: str) -> None:
        """Take the experiment and its runs out of the bin."""
        self._stage(experiment_id, LifecycleStage.DELETED, LifecycleStage.ACTIVE)

    def set_experiment_tags(self, experiment_id: str, tags: Sequence[Tag]) -> None:
        """Drop the tags of an experiment that is not deleted."""
        del tags
        self._require_active(experiment_id)

    def delete_experiment_tag(self, experiment_id: str, key: str) -> None:
        """Remove a tag; one that is not known may have been set, and dropped."""
        with _lock:
            experiment = self.get_experiment(experiment_id)
            if key in experiment.tags:
                self._keep(replace(experiment, tags=_without(experiment.tags, key)))

    # --- runs ------------------------------------------------------------------------------------------------

    def create_run(self, run: NewRun) -> Run:
        """Make a run.

        Raises:
            InvalidInput: Its experiment is deleted.
            AlreadyExists: This process has one of that id.
        """
        with _lock:
            self._require_active(run.experiment_id)
            if self._runs.get(run.run_id) is not None:
                raise AlreadyExists(f"There is a run {run.run_id!r} already.")
            tags = _as_dict(run.tags)
            name = run.run_name or tags.get(_NAME, "")
            info = replace(
                _info(run.run_id, run.experiment_id),
                run_name=name,
                user_id=run.user_id,
                status=run.status,
                start_time=run.start_time,
            )
            return self._put(Run(info, RunData(tags={**tags, _NAME: name} if name else tags)))

    def get_run(self, run_id: str) -> Run:
        """The run of that id, without anything it logged; one that is not known is taken for another process's."""
        with _lock:
            known = self._runs.get(run_id)
        return known or Run(_info(run_id, settings.get("experiment_id") or DEFAULT_EXPERIMENT_ID))

    def update_run(
        self,
        run_id: str,
        *,
        status: str | None = None,
        end_time: int | None = None,
        name: str | None = None,
        lease: Lease | None = None,
    ) -> RunInfo:
        """Change what is given and return the run's metadata; nobody else ever has the lease."""
        del lease
        with _lock:
            run = self._not_deleted(run_id)
            info = run.info if end_time is None else replace(run.info, end_time=end_time)
            if status is not None:
                end = (now_ms() if end_time is None else end_time) if status in RunStatus.ENDED else None
                info = replace(info, status=status, end_time=end)
            return self._put(_named(replace(run, info=info), name)).info

    def beat(self, holder: str, seconds: float) -> None:
        """Nobody asks for signs of life: what is remembered ends with the process."""
        del holder, seconds

    def reap_runs(self, holder: str | None = None, seen: int | None = None) -> Sequence[str]:
        """Nothing."""
        del holder, seen
        return ()

    def drop_points(self, run_id: str, from_step: int) -> None:
        """See to it that the run is not deleted: there are no points."""
        del from_step
        with _lock:
            self._not_deleted(run_id)

    def delete_run(self, run_id: str) -> None:
        """Put the run in the bin."""
        with _lock:
            self._put(_staged(self.get_run(run_id), LifecycleStage.DELETED))

    def restore_run(self, run_id: str) -> None:
        """Take the run out of the bin."""
        with _lock:
            run = self.get_run(run_id)
            if self.get_experiment(run.info.experiment_id).lifecycle_stage == LifecycleStage.DELETED:
                raise InvalidState(f"The experiment of run {run_id} is deleted.", hint="Restore the experiment first.")
            self._put(_staged(run, LifecycleStage.ACTIVE))

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
        """Nothing, if the filter, the order and the columns can be parsed."""
        del experiment_ids, view_type, max_results, page_token
        parse_filter(filter_string)
        parse_order(order_by)
        parse_columns(columns or ())
        return Page([])

    def move_run(self, run_id: str, experiment_id: str) -> None:
        """Put the run into another experiment."""
        with _lock:
            run = self._not_deleted(run_id)
            self._require_active(experiment_id)
            self._put(replace(run, info=replace(run.info, experiment_id=experiment_id)))

    # --- what runs log ---------------------------------------------------------------------------------------

    def log_batch(self, run_id: str, batch: Batch, *, mark: JournalMark | None = None, ended: bool = False) -> None:
        """Drop a batch, if the run could take it; a new name is kept, and how it ends.

        Raises:
            RunEnded: The run is deleted, or has ended and would take metrics or params.
        """
        late = ended or mark is not None
        with _lock:
            run = self._not_deleted(run_id)
            if run.info.status in RunStatus.ENDED and (batch.measured or batch.params) and not late:
                raise RunEnded(
                    f"Run {run_id} has ended ({run.info.status}).", hint="Take it up again, or start another."
                )
            if (name := _as_dict(batch.tags).get(_NAME)) is not None:
                run = self._put(_named(run, name))
            if batch.end is not None and batch.end.changes(run.info.status):
                info = replace(run.info, status=batch.end.status, end_time=batch.end.end_time)
                self._put(replace(run, info=info))

    def delete_tag(self, run_id: str, key: str) -> None:
        """Remove a tag; one that is not known may have been set, and dropped."""
        with _lock:
            run = self._not_deleted(run_id)
            if key in run.data.tags:
                self._put(replace(run, data=RunData(tags=_without(run.data.tags, key))))

    def get_metric_history(
        self, run_id: str, key: str, max_results: int | None = None, page_token: str | None = None
    ) -> Page[Metric]:
        """Nothing."""
        del run_id, key, max_results, page_token
        return Page([])

    def applied(self, writer: str) -> int:
        """0: nothing is kept of any journal."""
        del writer
        return 0

    # --- steps -----------------------------------------------------------------------------------------------

    @property
    def _turn(self) -> threading.RLock:
        return _lock

    def _keep(self, experiment: Experiment) -> None:
        self._experiments.put(experiment.experiment_id, replace(experiment, last_update_time=now_ms()))

    def _put(self, run: Run) -> Run:
        self._runs.put(run.info.run_id, run)
        return run

    def _stage(self, experiment_id: str, before: str, after: str) -> None:
        with _lock:
            experiment = self.get_experiment(experiment_id)
            if experiment.lifecycle_stage != before:
                raise NotFound(f"Experiment {experiment_id} is not {before}.")
            self._keep(replace(experiment, lifecycle_stage=after))
            for run in self._runs:
                if run.info.experiment_id == experiment_id:
                    self._put(_staged(run, after))

    def _require_free(self, name: str) -> None:
        if self.get_experiment_by_name(name) is not None:
            raise AlreadyExists(f"There is an experiment named {name!r} already.", hint="Use another name.")

    def _require_active(self, experiment_id: str) -> None:
        if self.get_experiment(experiment_id).lifecycle_stage == LifecycleStage.DELETED:
            raise InvalidInput(f"Experiment {experiment_id} is deleted.", hint="Restore it first.")

    def _not_deleted(self, run_id: str) -> Run:
        run = self.get_run(run_id)
        if run.info.lifecycle_stage == LifecycleStage.DELETED:
            raise RunEnded(f"Run {run_id} is deleted.", hint="Restore it first.")
        return run


def _experiment(experiment_id: str, name: str) -> Experiment:
    now = now_ms()
    return Experiment(experiment_id, name, uris.join(URI, experiment_id), creation_time=now, last_update_time=now)


def _info(run_id: str, experiment_id: str) -> RunInfo:
    place = uris.join(URI, experiment_id, run_id, "artifacts")
    return RunInfo(run_id, experiment_id, start_time=now_ms(), artifact_uri=place)


def _named(run: Run, name: str | None) -> Run:
    if name is None:
        return run
    return Run(replace(run.info, run_name=name), RunData(tags={**run.data.tags, _NAME: name}))


def _staged(run: Run, stage: str) -> Run:
    return replace(run, info=replace(run.info, lifecycle_stage=stage))


def _as_dict(tags: Sequence[Tag]) -> dict[str, str]:
    return {tag.key: tag.value for tag in tags}


def _without(tags: dict[str, str], key: str) -> dict[str, str]:
    return {kept: value for kept, value in tags.items() if kept != key}


def _begin_anew_after_fork() -> None:
    """Another thread may have held the lock when the process forked; in the child nobody would ever release it."""
    global _lock  # noqa: PLW0603 - the module's state
    _lock = threading.RLock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_begin_anew_after_fork)
