"""Runs with everything below them: their children by the tag ``mlflow.parentRunId``, and the children of those."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from dovetail.errors import NotFound
from dovetail.tracking.store import MAX_PAGE
from dovetail.tracking.walking import every, walk
from dovetail.values import ViewType

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from dovetail.tracking.store import TrackingStore

__all__ = ["PARENT", "delete_family", "descendants", "restore_family"]

PARENT = "mlflow.parentRunId"
"""The tag that says whose child a run is."""
_AT_ONCE = 100
"""As many parents as one filter names; filters are bounded."""


def descendants(store: TrackingStore, run_ids: Sequence[str]) -> list[str]:
    """The runs below these, of whatever depth and wherever they lie, deleted ones included; parents come first.

    A run that is its own ancestor is found once; those that are asked about are not in the answer.

    Args:
        store: The tracking store.
        run_ids: The runs at the top.
    """
    everywhere = [each.experiment_id for each in walk(
        lambda size, token: store.search_experiments(None, (), ViewType.ALL, size, token), None
    )]  # fmt: skip
    known, level = dict.fromkeys(run_ids), list(dict.fromkeys(run_ids))
    while level:
        children = (child for parents in _portions(level) for child in _children(store, everywhere, parents))
        level = [child for child in dict.fromkeys(children) if child not in known]
        known.update(dict.fromkeys(level))
    return list(known)[len(set(run_ids)) :]


def delete_family(store: TrackingStore, run_id: str) -> list[str]:
    """Put a run and all below it in the bin, the lowest first: if that is cut short, the rest is still found.

    Returns:
        The runs below it.

    Raises:
        NotFound: There is no such run.
    """
    store.get_run(run_id)
    below = descendants(store, [run_id])
    for each in reversed(below):
        with suppress(NotFound):  # it was taken away for good meanwhile
            store.delete_run(each)
    store.delete_run(run_id)
    return below


def restore_family(store: TrackingStore, run_id: str) -> list[str]:
    """Take a run and all below it out of the bin.

    Returns:
        The runs below it.

    Raises:
        NotFound: There is no such run.
        InvalidState: The experiment of one of them is deleted.
    """
    store.restore_run(run_id)
    below = descendants(store, [run_id])
    for each in below:
        with suppress(NotFound):  # it was taken away for good meanwhile
            store.restore_run(each)
    return below


def _portions(run_ids: list[str]) -> Iterator[list[str]]:
    return (run_ids[start : start + _AT_ONCE] for start in range(0, len(run_ids), _AT_ONCE))


def _children(store: TrackingStore, experiment_ids: list[str], parents: list[str]) -> Iterator[str]:
    named = ", ".join(f"'{parent}'" for parent in parents)  # ids are letters, digits, - and _
    search = experiment_ids, ("run_id",), f"tags.`{PARENT}` IN ({named})", (), ViewType.ALL, MAX_PAGE
    return (run_id for (run_id,) in every(lambda token: store.search_run_rows(*search, token)))
