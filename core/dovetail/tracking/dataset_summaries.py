"""Which datasets the runs of some experiments used, found by walking through the runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dovetail.tracking.subjects import CONTEXT
from dovetail.tracking.walking import every
from dovetail.values import DatasetSummary, ViewType

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from dovetail.tracking.store import TrackingStore
    from dovetail.values import Run

__all__ = ["summaries_of"]

_PAGE = 500  # runs with all that they used, whose profiles may be long
_THOSE = "dataset.name LIKE '%'"


def summaries_of(store: TrackingStore, experiment_ids: Sequence[str], max_results: int) -> list[DatasetSummary]:
    """What ``TrackingStore.search_datasets`` gives.

    Args:
        store: Whose runs.
        experiment_ids: Where to look.
        max_results: The most that are given.
    """
    pages = every(lambda token: store.search_runs(experiment_ids, _THOSE, (), ViewType.ACTIVE_ONLY, _PAGE, token))
    return sorted({use for run in pages for use in _uses_of(run)}, key=_place)[:max_results]


def _uses_of(run: Run) -> Iterator[DatasetSummary]:
    for used in run.inputs.dataset_inputs:
        context = next((tag.value for tag in used.tags if tag.key == CONTEXT), "")
        yield DatasetSummary(run.info.experiment_id, used.dataset.name, used.dataset.digest, context)


def _place(use: DatasetSummary) -> tuple[str, str, str, int, str]:
    number = use.experiment_id
    return use.name, use.digest, use.context, len(number), number
