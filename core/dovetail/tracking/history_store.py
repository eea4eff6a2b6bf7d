"""The part of the seam of tracking stores that deals with histories of metrics."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dovetail.tracking.series import Series
    from dovetail.values import Metric
    from dovetail.values.page import Page

__all__ = ["HistoryStore"]


class HistoryStore(ABC):
    """Gives the points of metrics, and takes them back. What ``TrackingStore`` guarantees holds here, too."""

    @abstractmethod
    def get_metric_history(
        self, run_id: str, key: str, max_results: int | None = None, page_token: str | None = None
    ) -> Page[Metric]:
        """The points of a metric in order of timestamp, step, value (NaN last); empty for an unknown run or key.

        Raises:
            InvalidInput: The token is not one of this history.
        """

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
        """The histories of one metric in several runs, as columns of numbers.

        Args:
            run_ids: The runs; those that do not exist or have no point in the interval are left out of the answer.
            key: The metric.
            start_step: The first step to include; None for all.
            end_step: The last step to include; None for all.
            points: The most points of each series; longer ones are thinned out. None for every point.
            method: How to thin out; one of ``dovetail.tracking.series.METHODS``.

        Returns:
            A series for each run by its id, in the order of ``run_ids``; points in the order of
            ``get_metric_history``. First and last point, and with ``minmax`` the lowest and highest values, survive
            thinning out.

        Raises:
            InvalidInput: The method is unknown, or fewer than 4 points are asked for.
        """
        from dovetail.tracking.series import series_of

        return series_of(lambda run: self.get_metric_history(run, key), run_ids, (start_step, end_step), points, method)

    @abstractmethod
    def drop_points(self, run_id: str, from_step: int) -> None:
        """Take away the points of a step and of later ones, since training goes on from there.

        Points of ``system/…`` metrics stay, whose steps count something else, and so do points of logged models: these
        are models of that step still. Points that somebody's journal brings later are not known here, and come in.

        Raises:
            NotFound: There is no such run.
            RunEnded: It is deleted.
        """
