"""Bringing runs into a store: each of them in an order in which it may be broken off and begun again."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, TypeVar

from dovetail.errors import AlreadyExists, DovetailError, NotFound
from dovetail.tracking.syncing_plan import MARKER, Plan, is_deleted, plan
from dovetail.tracking.syncing_points import batches, lacking
from dovetail.tracking.syncing_source import PAGE, runs_named
from dovetail.values import Batch, NewRun, Param, RunStatus, Tag, ViewType
from dovetail.values.names import check_run_id

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from dovetail.tracking.series import Series
    from dovetail.tracking.store import TrackingStore
    from dovetail.tracking.syncing_files import Files
    from dovetail.tracking.syncing_plan import Target
    from dovetail.tracking.syncing_report import SyncReport
    from dovetail.tracking.syncing_source import Source
    from dovetail.values import Run

__all__ = ["Runs", "checked"]

Item = TypeVar("Item")


class Runs:
    """Brings runs from a source into a store.

    A run that is written to has the tag ``dovetail.syncing`` meanwhile: where that is found, the next synchronization
    compares all of it. Everything that is written twice is the same as written once.

    Args:
        source: Where from.
        store: Where to.
        report: Told what was done.
        files: Copies artifacts; None if they stay where they are.
        thorough: Whether to compare histories of which the latest points are equal.
    """

    def __init__(
        self, source: Source, store: TrackingStore, report: SyncReport, files: Files | None, *, thorough: bool
    ) -> None:
        self._source, self._store, self._report = source, store, report
        self._files, self._thorough = files, thorough
        self._writes = 0

    def bring(self, experiment_id: str, target: Target, progress: Callable[[str], None]) -> None:
        """Bring the runs of an experiment.

        Args:
            experiment_id: The source's.
            target: The destination's.
            progress: Told the id of each run that is done.
        """
        for runs in self._source.runs(experiment_id):
            there = self._there(runs, target.id)
            for run in runs:
                self._bring(run, there.get(run.info.run_id), target)
                progress(run.info.run_id)

    # --- steps -----------------------------------------------------------------------------------------------

    def _there(self, runs: Sequence[Run], target: str | None) -> Mapping[str, Run]:
        ids = [run.info.run_id for run in runs if _is_id(run.info.run_id)]
        if target is None or not ids:
            return {}
        found = self._store.search_runs([target], runs_named(ids), view_type=ViewType.ALL, max_results=PAGE)
        return {run.info.run_id: run for run in found}

    def _bring(self, run: Run, there: Run | None, target: Target) -> None:
        """Bring one run; what the destination refuses of it as a whole is noted, and others go on."""
        with self._report.refusing("run", run.info.run_id):
            if there is None:
                there = self._elsewhere(run.info.run_id)
            if there is None:
                self._create(run, target)
            elif is_deleted(there):
                self._report.refuse("run", run.info.run_id, "It was deleted at the destination.")
            else:
                self._complete(run, there)

    def _elsewhere(self, run_id: str) -> Run | None:
        """The run, if somebody moved it to another experiment since."""
        try:
            return self._store.get_run(check_run_id(run_id))
        except NotFound:
            return None

    def _create(self, run: Run, target: Target) -> None:
        if target.id is None or self._report.dry_run:
            self._report.runs_created += 1
            self._report.points += sum(len(self._source.series(run.info.run_id, key)) for key in run.data.metrics)
            if self._files is not None:
                self._files.count(run.info.artifact_uri, target.place, run.info.run_id)
            return
        info = run.info
        new = NewRun(
            experiment_id=target.id,
            run_id=info.run_id,
            run_name=info.run_name,
            user_id=info.user_id,
            start_time=info.start_time,
            status=RunStatus.RUNNING if info.status in RunStatus.ENDED else info.status,
            tags=(*self._tags(run, run.data.tags), Tag(MARKER, self._source.name)),
        )
        try:
            there = self._store.create_run(new)
        except AlreadyExists:  # another synchronization was faster: both go on
            there = self._store.get_run(info.run_id)
        self._write(run, there, plan(run, there, thorough=self._thorough), new=True)
        self._report.runs_created += 1

    def _complete(self, run: Run, there: Run) -> None:
        found = plan(run, there, thorough=self._thorough)
        for key, held, ours in found.conflicts:
            self._report.refuse("param", run.info.run_id, f"Param {key!r} is {held!r} there, and {ours!r} here.")
        self._report.kept += found.kept
        before = (self._writes, self._report.files, self._report.points)
        if found and not self._report.dry_run:
            self._write(run, there, found, new=False)
        else:
            self._report.points += sum(map(len, self._fresh(run.info.run_id, found, new=False)))
            self._copy(run, there)
        # What only had to be compared, or was refused, changes nothing.
        now = (self._writes, self._report.files, self._report.points)
        if now != before or (found.certain and self._report.dry_run):
            self._report.runs_updated += 1
        else:
            self._report.runs_unchanged += 1

    def _write(self, run: Run, there: Run, found: Plan, *, new: bool) -> None:
        run_id = run.info.run_id
        if found.from_step is not None:
            self._store.drop_points(run_id, found.from_step)
            self._writes += 1
        fresh = batches(self._fresh(run_id, found, new=new))
        if not found.marked and (first := next(fresh, None)) is not None:
            self._store.log_batch(run_id, Batch(tags=(Tag(MARKER, self._source.name),)))
            found.marked = True
            self._log(run_id, first)
        for batch in fresh:
            self._log(run_id, batch)
        self._link(run_id, found)
        self._describe(run, found)
        self._copy(run, there)
        if found.end is not None:
            self._store.update_run(run_id, status=found.end[0], end_time=found.end[1])
            self._writes += 1
        if found.marked:
            with suppress(NotFound):  # another synchronization of the same run is done
                self._store.delete_tag(run_id, MARKER)
                self._writes += 1

    def _fresh(self, run_id: str, found: Plan, *, new: bool) -> Iterator[Series]:
        """The points that the destination has not, of each metric."""
        for key in found.keys:
            known = None if new else self._store.get_metric_series([run_id], key).get(run_id)
            if known is not None and self._report.dry_run:
                known = _left(known, found.from_step)
            yield lacking(self._source.series(run_id, key), known)

    def _log(self, run_id: str, batch: Batch) -> None:
        self._store.log_batch(run_id, batch, ended=True)
        self._report.points += batch.measured
        self._writes += 1

    def _link(self, run_id: str, found: Plan) -> None:
        for used in found.datasets:
            with self._report.refusing("input", run_id):
                self._store.log_inputs(run_id, (used,))
                self._writes += 1
        for model in found.inputs:
            with self._report.refusing("input", run_id):
                self._store.log_inputs(run_id, models=(model,))
                self._writes += 1
        for made in found.outputs:
            with self._report.refusing("output", run_id):
                self._store.log_outputs(run_id, (made,))
                self._writes += 1

    def _describe(self, run: Run, found: Plan) -> None:
        """Params and tags, in one go."""
        run_id = run.info.run_id
        params = tuple(self._checked("param", run_id, found.params, Param))
        tags = self._tags(run, found.tags)
        if params or tags:
            self._store.log_batch(run_id, Batch(params=params, tags=tags), ended=True)
            self._writes += 1

    def _copy(self, run: Run, there: Run) -> None:
        if self._files is not None:
            self._files.copy(run.info.artifact_uri, there.info.artifact_uri, run.info.run_id)

    # --- what is refused -------------------------------------------------------------------------------------

    def _tags(self, run: Run, tags: Mapping[str, str]) -> tuple[Tag, ...]:
        others = {key: value for key, value in tags.items() if key != MARKER}
        return tuple(self._checked("tag", run.info.run_id, others, Tag))

    def _checked(
        self, kind: str, run_id: str, pairs: Mapping[str, str], make: Callable[[str, str], Item]
    ) -> Iterator[Item]:
        yield from checked(self._report, kind, run_id, pairs, make)


def checked(
    report: SyncReport, kind: str, owner: str, pairs: Mapping[str, str], make: Callable[[str, str], Item]
) -> Iterator[Item]:
    """Params or tags; those that break the rules are noted."""
    for key, value in pairs.items():
        with report.refusing(kind, owner):
            yield make(key, value)


def _left(known: Series, from_step: int | None) -> Series:
    """What taking points away leaves of a history, which a dry run did not do."""
    kept = from_step is None or known.key.startswith("system/")
    return known if kept or from_step is None else known.between(None, from_step - 1)


def _is_id(run_id: str) -> bool:
    try:
        return bool(check_run_id(run_id))
    except DovetailError:
        return False
