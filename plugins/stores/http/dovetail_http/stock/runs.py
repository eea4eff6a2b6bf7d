"""The methods of a store over MLflow's API that deal with runs."""

# ruff: noqa: D102 - the docstrings of these methods stand in the interface

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from dovetail.errors import InvalidName, NotFound
from dovetail.tracking.columns import projected
from dovetail.tracking.filters import matches, parse_filter, parse_order, sort_subjects
from dovetail.tracking.pages import page_of
from dovetail.tracking.stages import require_restorable
from dovetail.tracking.subjects import RunSubject
from dovetail.values import LifecycleStage, Page, Run, RunInfo, RunStatus, Tag, ViewType
from dovetail.values.measure import now_ms
from dovetail.values.names import check_run_id
from dovetail.wire.runs import STATUS_TAG, dump_new_run, load_run
from dovetail.wire.states import dump_status
from dovetail_http.stock.experiments import ExperimentMethods
from dovetail_http.stock.filters import RUNS, asked_of, order_for
from dovetail_http.stock.ids import TAG
from dovetail_http.stock.pages import every, sifted
from dovetail_http.stock.points import with_infinities
from dovetail_http.stock.refusals import cannot

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from dovetail.tracking.filters import OrderKey
    from dovetail.values import Lease, NewRun

__all__ = ["RunMethods"]

_NAME = "mlflow.runName"
_MOST = 50_000
"""Runs that the server gives at a time."""
_AT_A_TIME = 1000
"""Runs that are asked for at a time where all of them are looked at."""


class RunMethods(ExperimentMethods):
    """The methods of a store over MLflow's API that deal with runs."""

    def create_run(self, run: NewRun) -> Run:
        """As in ``TrackingStore``, but the server makes the id: it is the one of the run that is returned.

        By the id that the client made the run is found as well, and by no search.
        """
        self._ids.require_free(run.run_id)
        made = _load_run(self._api.post("runs/create", **dump_new_run(_labelled(run))).get("run"))
        self._ids.note(run.run_id, made.info.run_id)
        if run.status != made.info.status:
            self.update_run(made.info.run_id, status=run.status)
            return self.get_run(made.info.run_id)
        return made

    def get_run(self, run_id: str) -> Run:
        _require_id(run_id)
        return self._ids.asking(run_id, lambda known: _load_run(self._api.get("runs/get", run_id=known).get("run")))

    def update_run(
        self,
        run_id: str,
        *,
        status: str | None = None,
        end_time: int | None = None,
        name: str | None = None,
        lease: Lease | None = None,
    ) -> RunInfo:
        """As in ``TrackingStore``, but nobody's lease is known."""
        del lease
        _require_id(run_id)
        status = None if status is None else RunStatus.check(status)
        ends = status in RunStatus.ENDED
        changes = {
            "status": None if status is None else dump_status(status),
            "end_time": now_ms() if ends and end_time is None else end_time,
            "run_name": name,
        }

        def write(known: str) -> None:
            if changes["status"] == RunStatus.FAILED:
                self._note_crash(known, crashed=status != RunStatus.FAILED)
            self._api.post("runs/update", again=True, run_id=known, **changes)

        self._writing(run_id, write)
        return self.get_run(run_id).info

    def delete_run(self, run_id: str) -> None:
        _require_id(run_id)
        self._ids.asking(run_id, lambda known: self._api.post("runs/delete", again=True, run_id=known))

    def restore_run(self, run_id: str) -> None:
        info = self.get_run(run_id).info
        require_restorable(f"Run {run_id}", self.get_experiment(info.experiment_id))
        if info.lifecycle_stage == LifecycleStage.DELETED:
            self._api.post("runs/restore", again=True, run_id=info.run_id)

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
        """As in ``TrackingStore``, but MLflow's searches leave out which logged models runs used; ``get_run`` tells.

        What the server cannot ask is asked here, of the runs that meet the rest.
        """
        tree, order = parse_filter(filter_string), parse_order(order_by)
        where = sorted({each for each in experiment_ids if each.isdecimal()})
        search = ("runs", *where, str(tree), *map(str, order), view_type.name)
        meets = None if tree is None else lambda each: matches(tree, RunSubject(each))
        sorting = order_for(order)
        fetch = self._run_pages(where, asked_of(tree, RUNS), sorting or [], view_type)
        if sorting is None:
            page = page_of(_sorted_here(fetch, meets, order), max_results, page_token, search)
        else:
            page = sifted(fetch, meets, (max_results, _MOST), page_token, search)
        return page if columns is None else Page(projected(page, columns), page.token)

    def move_run(self, run_id: str, experiment_id: str) -> None:
        info = self.get_run(run_id).info
        if self.get_experiment(experiment_id).experiment_id != info.experiment_id:
            raise cannot(self._api.server, "move runs")

    # --- steps -----------------------------------------------------------------------------------------------

    def _note_crash(self, run_id: str, *, crashed: bool) -> None:
        """MLflow has no word for a run that CRASHED: a tag tells it from one that FAILED."""
        if crashed:
            self._api.post("runs/set-tag", again=True, run_id=run_id, key=STATUS_TAG, value=RunStatus.CRASHED)
            return
        tags = (self._api.get("runs/get", run_id=run_id).get("run") or {}).get("data", {}).get("tags", ())
        if any(tag["key"] == STATUS_TAG for tag in tags):
            self._api.post("runs/delete-tag", run_id=run_id, key=STATUS_TAG)

    def _run_pages(
        self, experiment_ids: list[str], filter_string: str | None, order: list[str], view_type: ViewType
    ) -> Callable[[str | None, int], Page[Run]]:
        def fetch(token: str | None, size: int) -> Page[Run]:
            answer = self._api.search(
                "runs/search",
                experiment_ids=experiment_ids,
                filter=filter_string,
                order_by=order or None,
                run_view_type=view_type.name,
                max_results=size,
                page_token=token,
            )
            return Page([_load_run(each) for each in answer.get("runs", ())], answer.get("next_page_token") or None)

        return fetch


def _sorted_here(
    fetch: Callable[[str | None, int], Page[Run]], meets: Callable[[Run], bool] | None, order: Sequence[OrderKey]
) -> list[Run]:
    found = [run for run in every(fetch, _AT_A_TIME) if meets is None or meets(run)]
    return [subject.run for subject in sort_subjects(map(RunSubject, found), order)]


def _require_id(run_id: str) -> None:
    try:
        check_run_id(run_id)
    except InvalidName:
        raise NotFound(f"There is no run {run_id!r:.80}.") from None


def _labelled(run: NewRun) -> NewRun:
    """The run with a tag for the id that the client made. The server wants the name once."""
    tags = {tag.key: tag for tag in run.tags if tag.key != _NAME or not run.run_name}
    return replace(run, tags=(*tags.values(), Tag(TAG, run.run_id)))


def _load_run(data: Any) -> Run:
    logged = (data or {}).get("data") or {}
    run = load_run({**(data or {}), "data": {**logged, "metrics": with_infinities(logged.get("metrics"))}})
    for own in (TAG, STATUS_TAG):
        run.data.tags.pop(own, None)
    if run.info.end_time is None or run.info.status in RunStatus.ENDED:
        return run
    # A run that was taken up again keeps the time of its first end there.
    info = RunInfo.stored(**{**run.info.__dict__, "end_time": None})
    return Run.stored(info=info, data=run.data, inputs=run.inputs, outputs=run.outputs)
