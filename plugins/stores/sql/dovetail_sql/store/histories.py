"""The histories of metrics."""

from __future__ import annotations

# ruff: noqa: D102 - the docstrings of these methods stand in the interface
from typing import TYPE_CHECKING

from dovetail.tracking.store import TrackingStore
from dovetail_sql.store.finding import Finding

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dovetail.tracking.series import Series
    from dovetail.values import Metric, Page

__all__ = ["Histories"]


class Histories(Finding, TrackingStore):
    """Points of metrics."""

    def drop_points(self, run_id: str, from_step: int) -> None:
        from dovetail_sql.rewinding import rewind

        with self.database.write() as transaction:
            rewind(transaction, self._writable(transaction, run_id), from_step)

    def get_metric_history(
        self, run_id: str, key: str, max_results: int | None = None, page_token: str | None = None
    ) -> Page[Metric]:
        from dovetail_sql import history

        with self.database.read() as transaction:
            return history.page(transaction, run_id, key, max_results, page_token)

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
        from dovetail.tracking.thinning import check_thinning
        from dovetail_sql.series import Wanted, all_series

        most = check_thinning(points, method)
        with self.database.read() as transaction:
            return all_series(transaction, Wanted(run_ids, key, start_step, end_step, most, method))
