"""What runs used and made."""

from __future__ import annotations

# ruff: noqa: D102 - the docstrings of these methods stand in the interface
from typing import TYPE_CHECKING

from dovetail.tracking.store import TrackingStore
from dovetail.values import DatasetSummary
from dovetail_sql import links
from dovetail_sql.store.finding import Finding, numbers_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dovetail.values import DatasetInput, LoggedModelInput, LoggedModelOutput

__all__ = ["Links"]


class Links(Finding, TrackingStore):
    """What runs used and made."""

    def log_inputs(
        self, run_id: str, datasets: Sequence[DatasetInput] = (), models: Sequence[LoggedModelInput] = ()
    ) -> None:
        with self.database.write() as transaction:
            links.put_links(transaction, self._writable(transaction, run_id), models, datasets)

    def log_outputs(self, run_id: str, models: Sequence[LoggedModelOutput]) -> None:
        with self.database.write() as transaction:
            links.put_links(transaction, self._writable(transaction, run_id), models)

    def search_datasets(self, experiment_ids: Sequence[str], max_results: int = 1000) -> Sequence[DatasetSummary]:
        with self.database.read() as transaction:
            among = transaction.listed(sorted(numbers_of(experiment_ids)))
            found = transaction.rows("dataset_summaries", {"experiments": among, "limit": max_results})
            return [
                DatasetSummary.stored(experiment_id=str(number), name=name, digest=digest, context=context)
                for number, name, digest, context in found
            ]
