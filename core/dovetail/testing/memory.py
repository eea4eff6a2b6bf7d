"""The reference tracking store: everything in this process's memory, nothing left out."""

# ruff: noqa: D102 - the docstrings of these methods stand in the interface

from __future__ import annotations

import threading
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

from dovetail import uris
from dovetail.errors import AlreadyExists, NotFound
from dovetail.hookspecs import hookimpl
from dovetail.testing.memory_bin import MemoryBin
from dovetail.testing.memory_leases import MemoryLeases
from dovetail.testing.memory_links import MemoryLinks
from dovetail.testing.memory_logged_models import MemoryLoggedModels
from dovetail.testing.memory_uris import name_in_memory
from dovetail.testing.records import Record, as_dict
from dovetail.tracking.pages import page_of
from dovetail.tracking.stages import require_active, require_free, require_renamable, require_restorable
from dovetail.values import (
    DEFAULT_EXPERIMENT_ID,
    DEFAULT_EXPERIMENT_NAME,
    Ending,
    Experiment,
    LifecycleStage,
    Page,
    RunStatus,
)
from dovetail.values.measure import now_ms

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from dovetail.testing.memory_leases import Held
    from dovetail.tracking.bin import Discarded
    from dovetail.tracking.store import TrackingStore
    from dovetail.values import Batch, Dataset, JournalMark, Lease, LoggedModel, Metric, NewRun, Run, RunInfo, Tag

__all__ = ["MemoryTrackingStore", "open_memory"]


class MemoryTrackingStore(MemoryLinks, MemoryLoggedModels, MemoryLeases, MemoryBin):
    """Keeps everything in memory, for as long as the process lives.

    It is the reference other stores are compared with, and what tests use where any store would do.

    Args:
        uri: ``memory://<name>``.
        artifact_root: Where experiments without a location of their own keep artifacts, as a URI;
            by default in memory too.
    """

    record: ClassVar[type[Record]] = Record
    lasting = False

    def __init__(self, uri: str = "memory://", artifact_root: str | None = None) -> None:
        self.uri = uri
        self._artifact_root = f"{uri}/artifacts" if artifact_root is None else artifact_root
        self._lock = threading.RLock()
        self._experiments: dict[str, Experiment] = {}
        self._runs: dict[str, Record] = {}
        self._marks: dict[str, int] = {}
        self._held: dict[str, Held] = {}
        self._models: dict[str, LoggedModel] = {}
        self._binned_models: dict[str, int] = {}
        self._datasets: dict[tuple[str, str, str], Dataset] = {}
        self._binned_experiments: dict[str, int] = {}
        self._condemned: dict[tuple[str, str], Discarded] = {}
        self._given_ids: set[str] = set()
        self._add_experiment(DEFAULT_EXPERIMENT_ID, DEFAULT_EXPERIMENT_NAME)

    # --- experiments -----------------------------------------------------------------------------------------

    def create_experiment(
        self,
        name: str,
        artifact_location: str | None = None,
        tags: Sequence[Tag] = (),
        creation_time: int | None = None,
    ) -> str:
        with self._lock:
            self._require_free(name)
            experiment_id = str(1 + max(map(int, (*self._experiments, *self._given_ids))))
            self._add_experiment(experiment_id, name, artifact_location, tags, creation_time)
            return experiment_id

    def get_experiment(self, experiment_id: str) -> Experiment:
        with self._lock:
            if experiment_id not in self._experiments:
                raise NotFound(f"{self.uri} has no experiment {experiment_id!r}.")
            kept = self._experiments[experiment_id]
            return replace(kept, tags=dict(kept.tags))

    def get_experiment_by_name(self, name: str) -> Experiment | None:
        with self._lock:
            named = (each.experiment_id for each in self._experiments.values() if each.name == name)
            experiment_id = next(named, None)
            return None if experiment_id is None else self.get_experiment(experiment_id)

    def rename_experiment(self, experiment_id: str, name: str) -> None:
        with self._lock:
            experiment = self.get_experiment(experiment_id)
            require_renamable(experiment)
            if name != experiment.name:
                self._require_free(name)
            self._keep(replace(experiment, name=name))

    def delete_experiment(self, experiment_id: str) -> None:
        with self._lock:
            experiment = self._experiment_at(experiment_id, LifecycleStage.ACTIVE)
            members = self._members(experiment_id)
            self._runs.update(
                (run_id, record.staged(LifecycleStage.DELETED, with_experiment=True))
                for run_id, record in members.items()
                if not record.deleted
            )
            self._keep(replace(experiment, lifecycle_stage=LifecycleStage.DELETED))
            self._binned_experiments[experiment_id] = now_ms()

    def restore_experiment(self, experiment_id: str) -> None:
        with self._lock:
            experiment = self._experiment_at(experiment_id, LifecycleStage.DELETED)
            members = self._members(experiment_id)
            self._runs.update(
                (run_id, record.staged(LifecycleStage.ACTIVE))
                for run_id, record in members.items()
                if record.binned_with_experiment
            )
            self._keep(replace(experiment, lifecycle_stage=LifecycleStage.ACTIVE))
            del self._binned_experiments[experiment_id]

    def set_experiment_tags(self, experiment_id: str, tags: Sequence[Tag]) -> None:
        with self._lock:
            experiment = self.get_experiment(experiment_id)
            require_active(experiment)
            self._keep(replace(experiment, tags={**experiment.tags, **as_dict(tags)}))

    def delete_experiment_tag(self, experiment_id: str, key: str) -> None:
        with self._lock:
            experiment = self.get_experiment(experiment_id)
            self._keep(replace(experiment, tags=_without(experiment.tags, key, f"Experiment {experiment_id}")))

    # --- runs ------------------------------------------------------------------------------------------------

    def create_run(self, run: NewRun) -> Run:
        with self._lock:
            experiment = self.get_experiment(run.experiment_id)
            require_active(experiment)
            if run.run_id in self._runs or ("run", run.run_id) in self._condemned:
                raise AlreadyExists(f"{self.uri} has a run {run.run_id!r} already.")
            self._runs[run.run_id] = self.record.of(run, experiment)
            self._take(run.run_id, run.lease)
            return self.get_run(run.run_id)

    def get_run(self, run_id: str) -> Run:
        return self._record(run_id).as_run()

    def update_run(
        self,
        run_id: str,
        *,
        status: str | None = None,
        end_time: int | None = None,
        name: str | None = None,
        lease: Lease | None = None,
    ) -> RunInfo:
        with self._lock:
            record = self._writable(run_id)
            if status in RunStatus.ENDED:
                end = Ending(
                    status, now_ms() if end_time is None else end_time, None if lease is None else lease.holder
                )
                if not self._end(run_id, end):
                    return record.info
            else:
                self._take(run_id, lease)
                info = record.info if end_time is None else replace(record.info, end_time=end_time)
                info = info if status is None else replace(info, status=status, end_time=None)
                self._runs[run_id] = replace(record, info=info)
            if name is not None:
                self._runs[run_id] = self._runs[run_id].named(name)
            return self._runs[run_id].info

    def delete_run(self, run_id: str) -> None:
        with self._lock:
            record = self._record(run_id)
            if not record.deleted:
                self._runs[run_id] = record.staged(LifecycleStage.DELETED)

    def restore_run(self, run_id: str) -> None:
        with self._lock:
            record = self._record(run_id)
            require_restorable(f"Run {run_id}", self.get_experiment(record.info.experiment_id))
            self._runs[run_id] = record.staged(LifecycleStage.ACTIVE)

    def move_run(self, run_id: str, experiment_id: str) -> None:
        with self._lock:
            record = self._writable(run_id)
            require_active(self.get_experiment(experiment_id))
            datasets = {key: self._known(experiment_id, each) for key, each in record.datasets.items()}
            info = replace(record.info, experiment_id=experiment_id)
            self._runs[run_id] = replace(record, info=info, datasets=datasets)

    # --- what runs log ---------------------------------------------------------------------------------------

    def log_batch(self, run_id: str, batch: Batch, *, mark: JournalMark | None = None, ended: bool = False) -> None:
        with self._lock:
            record = self._record(run_id)
            if mark is not None and mark.sequence <= self.applied(mark.writer):
                return
            late = ended or mark is not None
            record.require_open(only_tags=late or not (batch.measured or batch.params))
            measured = self._measured(record.info, batch.metrics)
            self._runs[run_id] = record.with_batch(batch)
            self._models.update(measured)
            if batch.end is not None:
                self._end(run_id, batch.end)
            if mark is not None:
                self._marks[mark.writer] = mark.sequence

    def drop_points(self, run_id: str, from_step: int) -> None:
        with self._lock:
            self._runs[run_id] = self._writable(run_id).rewound(from_step)

    def delete_tag(self, run_id: str, key: str) -> None:
        with self._lock:
            record = self._writable(run_id)
            self._runs[run_id] = replace(record, tags=_without(record.tags, key, f"Run {run_id}"))

    def get_metric_history(
        self, run_id: str, key: str, max_results: int | None = None, page_token: str | None = None
    ) -> Page[Metric]:
        with self._lock:
            record = self._runs.get(run_id)
            points = record.points.get(key, {}) if record else {}
        ordered = [points[rank] for rank in sorted(points)]
        return page_of(ordered, max_results, page_token, ("history", run_id, key))

    def applied(self, writer: str) -> int:
        with self._lock:
            return self._marks.get(writer, 0)

    # --- steps -----------------------------------------------------------------------------------------------

    def _add_experiment(
        self,
        experiment_id: str,
        name: str,
        location: str | None = None,
        tags: Sequence[Tag] = (),
        creation_time: int | None = None,
    ) -> None:
        now = now_ms() if creation_time is None else creation_time
        self._experiments[experiment_id] = Experiment(
            experiment_id=experiment_id,
            name=name,
            artifact_location=uris.join(self._artifact_root, experiment_id) if location is None else location,
            tags=as_dict(tags),
            creation_time=now,
            last_update_time=now,
        )

    def _keep(self, experiment: Experiment) -> None:
        self._experiments[experiment.experiment_id] = replace(experiment, last_update_time=now_ms())

    def _all_experiments(self) -> list[Experiment]:
        with self._lock:
            return [self.get_experiment(experiment_id) for experiment_id in self._experiments]

    def _experiment_at(self, experiment_id: str, stage: str) -> Experiment:
        experiment = self.get_experiment(experiment_id)
        if experiment.lifecycle_stage != stage:
            raise NotFound(f"Experiment {experiment_id} is not {stage}.")
        return experiment

    def _require_free(self, name: str) -> None:
        condemned = any(each.name == name for each in self._condemned_of("experiment"))
        require_free(name, self.get_experiment_by_name(name), condemned=condemned)

    def _members(self, experiment_id: str) -> dict[str, Record]:
        return {key: record for key, record in self._runs.items() if record.info.experiment_id == experiment_id}

    def _runs_of(self, experiment_ids: Sequence[str]) -> list[Run]:
        wanted = set(experiment_ids)
        with self._lock:
            return [record.as_run() for record in self._runs.values() if record.info.experiment_id in wanted]

    def _record(self, run_id: str) -> Record:
        with self._lock:
            if run_id not in self._runs:
                raise NotFound(f"{self.uri} has no run {run_id!r}.")
            return self._runs[run_id]

    def _writable(self, run_id: str) -> Record:
        record = self._record(run_id)
        record.require_open(only_tags=True)
        return record


def _without(tags: Mapping[str, str], key: str, owner: str) -> dict[str, str]:
    if key not in tags:
        raise NotFound(f"{owner} has no tag {key!r}.")
    return {kept: value for kept, value in tags.items() if kept != key}


_opened: dict[str, MemoryTrackingStore] = {}
_opening = threading.Lock()


def open_memory(uri: str) -> MemoryTrackingStore:
    """The one store of this name in this process, made at its first use.

    Args:
        uri: ``memory://<name>``; ``memory://`` is a name like others.

    Raises:
        InvalidUri: It has another form.
    """
    name = name_in_memory(uri)
    with _opening:
        if name not in _opened:
            _opened[name] = MemoryTrackingStore(f"memory://{name}")
        return _opened[name]


@hookimpl
def dovetail_tracking_stores() -> dict[str, Callable[[str], TrackingStore]]:
    """The scheme ``memory``."""
    return {"memory": open_memory}
