"""A tracking store in a folder."""

# ruff: noqa: D102 - the docstrings of these methods stand in the interface

from __future__ import annotations

import time
import uuid
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from dovetail.errors import AlreadyExists, NotFound
from dovetail.tracking.series import Series, thinned
from dovetail.tracking.stages import require_active, require_renamable, require_restorable
from dovetail.tracking.thinning import check_thinning
from dovetail.values import Page, Run, RunData, RunStatus
from dovetail.values.measure import now_ms
from dovetail_file.entries import ACTIVE, CONDEMNED, DELETED
from dovetail_file.lease_methods import LeaseMethods
from dovetail_file.names import file_name
from dovetail_file.state import created_note, input_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dovetail.values import (
        Batch,
        DatasetInput,
        Experiment,
        JournalMark,
        Lease,
        LoggedModelInput,
        LoggedModelOutput,
        Metric,
        NewRun,
        RunInfo,
        Tag,
    )
    from dovetail_file.entries import Entry

__all__ = ["FileTrackingStore"]


class FileTrackingStore(LeaseMethods):
    """Keeps everything in a folder of files that are only ever added to, without locks.

    Args:
        root: The folder.

    Raises:
        ForeignLayout: It holds something else.
        SchemaTooNew: Its format is newer than this release.
        StoreError: It cannot be made or read.
    """

    # --- experiments -----------------------------------------------------------------------------------------

    def create_experiment(
        self,
        name: str,
        artifact_location: str | None = None,
        tags: Sequence[Tag] = (),
        creation_time: int | None = None,
    ) -> str:
        with self._lock:
            return self._experiments.create(name, artifact_location, tags, creation_time)

    def get_experiment(self, experiment_id: str) -> Experiment:
        with self._lock:
            return self._experiments.get(experiment_id)

    def get_experiment_by_name(self, name: str) -> Experiment | None:
        with self._lock:
            return self._experiments.named(name)

    def rename_experiment(self, experiment_id: str, name: str) -> None:
        with self._lock:
            self._experiments.rename(experiment_id, name, require_renamable)

    def delete_experiment(self, experiment_id: str) -> None:
        self._move(experiment_id, DELETED, ACTIVE)

    def restore_experiment(self, experiment_id: str) -> None:
        self._move(experiment_id, ACTIVE, DELETED)

    def set_experiment_tags(self, experiment_id: str, tags: Sequence[Tag]) -> None:
        labels = {tag.key: tag.value for tag in tags}
        with self._lock:
            self._experiments.change(experiment_id, require_active, op="tags", tags=labels)

    def delete_experiment_tag(self, experiment_id: str, key: str) -> None:
        def check(experiment: Experiment) -> None:
            if key not in experiment.tags:
                raise NotFound(f"Experiment {experiment_id} has no tag {key!r}.")

        with self._lock:
            self._experiments.change(experiment_id, check, op="untag", key=key)

    # --- runs ------------------------------------------------------------------------------------------------

    def create_run(self, run: NewRun) -> Run:
        with self._lock:
            self._experiments.active(run.experiment_id)
            with self._leases.taking(file_name(run.run_id), run.lease):
                entry = self._created(run)
            return self._run(entry)

    def get_run(self, run_id: str) -> Run:
        with self._lock:
            entry = self._catalogue.find(run_id)
            self._experiments.kept()
            return self._run(entry)

    def update_run(
        self,
        run_id: str,
        *,
        status: str | None = None,
        end_time: int | None = None,
        name: str | None = None,
        lease: Lease | None = None,
    ) -> RunInfo:
        ends = status in RunStatus.ENDED
        with self._lock:
            entry = self._writable(run_id)
            if ends and lease is not None and self._leases.is_elsewhere(entry.place.name, lease.holder):
                return self._info(entry)
            with self._leases.taking(entry.place.name, None if ends else lease):
                if change := _change_of(status, end_time, name):
                    self._catalogue.change(entry, **change)
            if ends:
                self._let_go(entry)
            return self._info(entry)

    def delete_run(self, run_id: str) -> None:
        with self._lock:
            while True:
                entry = self._catalogue.find(run_id)
                self._experiments.kept()
                if self._deleted(entry)[0] or self._catalogue.stage(entry, DELETED, now_ms()):
                    return

    def restore_run(self, run_id: str) -> None:
        with self._lock:
            while True:
                entry = self._catalogue.find(run_id)
                require_restorable(f"Run {run_id}", self._experiments.get(entry.experiment_id))
                if entry.stage == ACTIVE or self._catalogue.stage(entry, ACTIVE):
                    return

    def move_run(self, run_id: str, experiment_id: str) -> None:
        with self._lock:
            entry = self._writable(run_id)
            self._experiments.active(experiment_id)
            if entry.experiment_id != experiment_id:
                used = entry.state.inputs().dataset_inputs
                known = [input_text(self._datasets.known(experiment_id, each)) for each in used]
                self._catalogue.change(entry, experiment=experiment_id, inputs=known)

    # --- what runs log ---------------------------------------------------------------------------------------

    def log_batch(self, run_id: str, batch: Batch, *, mark: JournalMark | None = None, ended: bool = False) -> None:
        with self._lock:
            entry = self._catalogue.find(run_id)
            if mark is not None and mark.sequence <= self._applied(mark.writer, entry):
                return
            late = ended or mark is not None
            self._require_open(entry, only_tags=late or not (batch.measured or batch.params))
            entry.state.require_params(batch.params)
            self._note_measured(entry, batch.metrics)
            if mark is not None:
                self._pointers.note(mark.writer, entry.place.name)
            end = batch.end if batch.end is not None and self._is_ended_by(entry, batch.end) else None
            # Two records: what is broken off between them is done again, and the end does not stand in the way of that.
            # With the mark the whole batch is done with, so that comes last.
            if end is not None and mark is not None:
                self._end(entry, end)
            if mark is not None or batch:
                self._catalogue.log(entry, batch, mark)
            if end is not None and mark is None:
                self._end(entry, end)
            if end is not None:
                self._let_go(entry)

    def drop_points(self, run_id: str, from_step: int) -> None:
        with self._lock:
            entry = self._writable(run_id)
            if entry.state.has_points_from(from_step):
                self._catalogue.change(entry, rewind=from_step)

    def delete_tag(self, run_id: str, key: str) -> None:
        with self._lock:
            entry = self._writable(run_id)
            if not entry.state.has_tag(key):
                raise NotFound(f"Run {run_id} has no tag {key!r}.")
            self._catalogue.change(entry, untag=key)

    def log_inputs(
        self, run_id: str, datasets: Sequence[DatasetInput] = (), models: Sequence[LoggedModelInput] = ()
    ) -> None:
        with self._lock:
            entry = self._writable(run_id)
            used = [self._models.find(each.model_id).model.model_id for each in models]
            known = [input_text(self._datasets.known(entry.experiment_id, each)) for each in datasets]
            if known or used:
                self._catalogue.change(entry, inputs=known, used=used)

    def log_outputs(self, run_id: str, models: Sequence[LoggedModelOutput]) -> None:
        with self._lock:
            entry = self._writable(run_id)
            made = [(self._models.find(each.model_id).model.model_id, each.step) for each in models]
            if made:
                self._catalogue.change(entry, made=made)

    def get_metric_history(
        self, run_id: str, key: str, max_results: int | None = None, page_token: str | None = None
    ) -> Page[Metric]:
        with self._lock:
            entry = self._visible(run_id)
            return Page([]) if entry is None else self._histories.page(entry, key, max_results, page_token)

    def get_metric_series(
        self,
        run_ids: Sequence[str],
        key: str,
        *,
        start_step: int | None = None,
        end_step: int | None = None,
        points: int | None = None,
        method: str = "minmax",
    ) -> dict[str, Series]:
        check_thinning(points, method)
        found: dict[str, Series] = {}
        for run_id in dict.fromkeys(run_ids):
            with self._lock:
                entry = self._visible(run_id)
                series = None if entry is None else self._histories.series(entry, key)
            chosen = Series.of((), key) if series is None else series.between(start_step, end_step)
            if len(chosen):
                found[run_id] = thinned(chosen, points, method)
        return found

    def applied(self, writer: str) -> int:
        with self._lock:
            return self._applied(writer)

    # --- steps -----------------------------------------------------------------------------------------------

    def _created(self, run: NewRun) -> Entry:
        place = self._experiments.chosen(run.experiment_id, run.run_id, "artifacts")
        if not self._catalogue.create(created_note(run, place or None, time.time_ns()), uuid.uuid4().hex[:16]):
            raise AlreadyExists(f"{self.uri} has a run {run.run_id!r} already.")
        entry = self._catalogue.find(run.run_id)
        try:
            self._experiments.get(run.experiment_id)
        except NotFound:
            # The experiment was taken away for good at this very moment.
            self._catalogue.take_away(entry)
            raise
        return entry

    def _move(self, experiment_id: str, stage: str, before: str) -> None:
        with self._lock:
            self._experiments.get(experiment_id)
            if not self._experiments.move(experiment_id, stage, before):
                raise NotFound(f"Experiment {experiment_id} is not {before}.")

    def _runs_of(self, experiment_ids: Sequence[str]) -> list[Run]:
        wanted = set(experiment_ids)
        with self._lock:
            self._experiments.kept()
            shown = [each for each in self._catalogue.all() if each.experiment_id in wanted]
            return [self._kept_run(entry) for entry in shown if entry.stage != CONDEMNED]

    def _all_experiments(self) -> list[Experiment]:
        with self._lock:
            return list(self._experiments.all())

    def _handed_out(self, run: Run) -> Run:
        return _own(run)

    def _visible(self, run_id: str) -> Entry | None:
        entry = self._catalogue.look(file_name(run_id))
        return None if entry is None or entry.stage == CONDEMNED else entry

    def _applied(self, writer: str, entry: Entry | None = None) -> int:
        """The highest sequence of a writer that is stored; a run that was looked at just now is not looked at again."""
        highest = 0 if entry is None else entry.state.marks.get(writer, 0)
        for name in self._pointers.runs_of(writer):
            if entry is None or name != entry.place.name:
                other = self._catalogue.look(name)
                highest = max(highest, 0 if other is None else other.state.marks.get(writer, 0))
        return highest


def _change_of(status: str | None, end_time: int | None, name: str | None) -> dict[str, Any]:
    """What changes of a run, as ``RunState.change`` takes it, without its moment."""
    change: dict[str, Any] = {} if end_time is None else {"end": end_time}
    if status is not None:
        end = (now_ms() if end_time is None else end_time) if status in RunStatus.ENDED else None
        change.update(status=status, end=end)
    if name is not None:
        change["name"] = name
    return change


def _own(run: Run) -> Run:
    """The same run, with dicts that the caller may change."""
    data = run.data
    fields = {**data.__dict__, "metrics": {**data.metrics}, "params": {**data.params}, "tags": {**data.tags}}
    return replace(run, data=RunData.stored(**fields))
