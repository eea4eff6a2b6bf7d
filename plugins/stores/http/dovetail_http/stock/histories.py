"""The methods of a store over MLflow's API that give the points of metrics."""

# ruff: noqa: D102 - the docstrings of these methods stand in the interface

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from dovetail.errors import InvalidInput, NotFound, StoreError
from dovetail.tracking.series import series_of
from dovetail.values import Page
from dovetail_http.stock.logging import LogMethods
from dovetail_http.stock.pages import every, sifted
from dovetail_http.stock.points import load_points
from dovetail_http.stock.refusals import cannot

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dovetail.tracking.series import Series
    from dovetail.values import Metric

__all__ = ["HistoryMethods"]

_MOST = 25_000
"""Points that the server gives at a time."""
_MOST_RUNS = 100
"""Runs that the server gives points of at a time."""
_SAMPLE = 2500
_WHOLE = 1250
"""Points up to which such an answer is surely whole: no release thins out so few, whichever way it does."""
_SYSTEM = "system/"


class HistoryMethods(LogMethods):
    """The methods of a store over MLflow's API that give the points of metrics."""

    def get_metric_history(
        self, run_id: str, key: str, max_results: int | None = None, page_token: str | None = None
    ) -> Page[Metric]:
        def fetch(token: str | None, size: int) -> Page[Metric]:
            known = self._ids.known(run_id)
            answer = self._api.get(
                "metrics/get-history", run_id=known, metric_key=key, max_results=size, page_token=token
            )
            return Page(load_points(answer.get("metrics")), answer.get("next_page_token") or None)

        try:
            if max_results is None and page_token is None:
                found = Page(every(fetch, _MOST))
            else:
                found = sifted(fetch, None, (max_results or _MOST, _MOST), page_token, ("history", run_id, key))
        except NotFound:
            found = Page([])
        # Of a run that is unknown by that id there is nothing, either.
        unknown = not found and page_token is None and self._becomes_known(run_id)
        return self.get_metric_history(run_id, key, max_results) if unknown else found

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
        """As in ``TrackingStore``; short histories of many runs are read together."""
        ids = list(dict.fromkeys(run_ids))
        found: dict[str, list[Metric]] = {}
        for start in range(0, len(ids), _MOST_RUNS) if len(ids) > 1 else ():
            found |= self._together(ids[start : start + _MOST_RUNS], key)

        def points_of(run_id: str) -> Sequence[Metric]:
            return found[run_id] if run_id in found else self.get_metric_history(run_id, key)

        return series_of(points_of, ids, (start_step, end_step), points, method)

    def drop_points(self, run_id: str, from_step: int) -> None:
        """Nothing, where there are no such points.

        Raises:
            InvalidState: There are some: MLflow's servers take nothing back.
        """
        latest = self._require_not_deleted(run_id).data.latest
        if any(point.step >= from_step and not point.key.startswith(_SYSTEM) for point in latest):
            raise cannot(self._api.server, "take points of metrics back, so no training goes on from an earlier step")

    # --- steps -----------------------------------------------------------------------------------------------

    def _becomes_known(self, run_id: str) -> bool:
        """Whether it takes the look that ``get_run`` does to know a run by this id."""
        if self._ids.known(run_id) != run_id:
            return False
        with suppress(NotFound):
            return self.get_run(run_id).info.run_id != run_id
        return False

    def _together(self, run_ids: Sequence[str], key: str) -> Mapping[str, list[Metric]]:
        """The histories of several runs; nothing where the server does not give all of them as they are."""
        known = {self._ids.known(run_id): run_id for run_id in run_ids}
        try:
            answer = self._api.get(
                "metrics/get-history-bulk-interval", run_ids=list(known), metric_key=key, max_results=_SAMPLE
            )
        except (NotFound, InvalidInput, StoreError):
            return {}  # one of them is not there, or the release is old: what is asked for singly says more
        found: dict[str, list[dict[str, Any]]] = {run_id: [] for run_id in known}
        for point in answer.get("metrics", ()):
            found[point.pop("run_id")].append(point)
        if sum(map(len, found.values())) >= _WHOLE:
            return {}
        return {known[run_id]: load_points(points) for run_id, points in found.items()}
