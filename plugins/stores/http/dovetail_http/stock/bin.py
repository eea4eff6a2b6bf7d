"""The methods of a store over MLflow's API that deal with who sees to runs, and with what is deleted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dovetail.tracking.bin import Discarded
from dovetail.values import ViewType
from dovetail_http.stock.histories import HistoryMethods
from dovetail_http.stock.pages import every
from dovetail_http.stock.parts import MOST_EXPERIMENTS
from dovetail_http.stock.refusals import cannot_collect

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["BinMethods"]

_AT_A_TIME = 1000


class BinMethods(HistoryMethods):
    """The methods of a store over MLflow's API that deal with who sees to runs, and with what is deleted."""

    def beat(self, holder: str, seconds: float) -> None:
        """Nothing: the server keeps no leases."""

    def reap_runs(self, holder: str | None = None, seen: int | None = None) -> Sequence[str]:
        """None: of a server that keeps no leases nobody learns whose process is gone."""
        del holder, seen
        return ()

    def discarded(self, before: int | None = None) -> Sequence[Discarded]:
        """As in ``TrackingStore``, but without logged models, and nobody noted when anything was deleted."""
        del before  # what may have been deleted at any time was deleted before
        fetch = self._run_pages(self._experiment_ids(), None, [], ViewType.DELETED_ONLY)
        infos = [run.info for run in every(fetch, _AT_A_TIME)]
        runs = [
            Discarded("run", info.run_id, info.run_name, info.experiment_id, info.artifact_uri, 0) for info in infos
        ]
        experiments = [
            Discarded("experiment", each.experiment_id, each.name, each.experiment_id, each.artifact_location, 0)
            for each in every(self._experiment_pages(ViewType.DELETED_ONLY), MOST_EXPERIMENTS)
        ]
        return [*runs, *experiments]

    def condemn(self, item: Discarded) -> bool:
        """Nothing is.

        Raises:
            InvalidState: Always.
        """
        del item
        raise cannot_collect(self._api.server)

    def purge(self, item: Discarded) -> bool:
        """Nothing is.

        Raises:
            InvalidState: Always.
        """
        del item
        raise cannot_collect(self._api.server)
