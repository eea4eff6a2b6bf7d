"""Bringing what one tracking store has into another."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

from dovetail import uris
from dovetail.errors import InvalidInput, NotFound
from dovetail.tracking import modes, places
from dovetail.tracking.moving import experiment_meant
from dovetail.tracking.syncing_experiments import bring
from dovetail.tracking.syncing_files import Files
from dovetail.tracking.syncing_report import Refused, SyncReport
from dovetail.tracking.syncing_source import StoreSource
from dovetail.tracking.syncing_trial import place_for
from dovetail.tracking.syncing_waiting import send_waiting
from dovetail.values.names import check_run_id

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Sequence

    from dovetail.tracking.store import TrackingStore
    from dovetail.values import Experiment

__all__ = ["Refused", "SyncReport", "sync"]


def sync(
    source: str | os.PathLike[str] | None = None,
    destination: str | os.PathLike[str] | None = None,
    *,
    experiments: Sequence[str] | str = (),
    run_ids: Sequence[str] | str = (),
    artifacts: bool = False,
    thorough: bool = False,
    dry_run: bool = False,
    progress: Callable[[str], None] | None = None,
) -> SyncReport:
    """Bring experiments, runs and logged models from one tracking store into another.

    Runs and logged models keep their ids and times, experiments go by their names. What the destination has already is
    not written again, nothing there is removed, and what is deleted on either side stays so. It may be broken off at
    any moment, and begun again. Without a source, everything that waits on this machine is sent to where it belongs:
    what was logged offline, with its artifacts, and what processes left behind whose store was away.

    Args:
        source: The URI of the store to read.
        destination: The URI of the store to write to; by default the tracking URI in force.
        experiments: Only these, by id or name in the source; one may be given as text.
        run_ids: Only these runs; one may be given as text.
        artifacts: Whether the files of runs and models are copied, too, except those that lie there in the same size.
        thorough: Whether to compare whole histories also where the latest points are equal.
        dry_run: Whether to write nothing: the answer says what would be brought.
        progress: Told the id of each run that is done.

    Returns:
        What was brought, and what was refused: such as params that have other values there.

    Raises:
        InvalidInput: Source and destination are the same, or without a source something else is given.
        NotFound: There is no such experiment or run in the source; nothing was written.
        StoreError: One of the stores fails; what was written stays, and the next time goes on.
    """
    named, chosen = _texts(experiments), tuple(check_run_id(each) for each in _texts(run_ids))
    if source is None:
        if destination is not None or named or chosen:
            raise InvalidInput(
                "What waits on this machine is sent to where it belongs, all of it.",
                hint="Name the source to choose destination, experiments or runs: sync(source, destination).",
            )
        return send_waiting(dry_run=dry_run, progress=progress)
    origin = places.resolved(source)
    target = places.get_tracking_uri() if destination is None else places.resolved(destination)
    if uris.masked(origin) == uris.masked(target):
        raise InvalidInput(f"Source and destination are the same: {uris.masked(origin)}.", hint="Name two stores.")
    with ExitStack() as closing:
        read = places.open_place(_existing(origin), closing)
        found = _experiments(read, named, chosen)
        store = places.open_place(place_for(target, closing, dry_run=dry_run), closing)
        report = SyncReport(uris.masked(origin), uris.masked(target), dry_run)
        files = Files(report, store, read) if artifacts else None
        bring(StoreSource(read, chosen), store, report, found, files=files, thorough=thorough, progress=progress)
    return report


def _experiments(store: TrackingStore, named: Sequence[str], run_ids: Sequence[str]) -> list[Experiment] | None:
    """The experiments that are meant, by themselves or by runs in them; None for all."""
    if not named and not run_ids:
        return None
    found = [experiment_meant(store, each) for each in named]
    held = {store.get_run(each).info.experiment_id for each in run_ids}
    if named and held - {each.experiment_id for each in found}:
        raise NotFound("A run that is named lies in none of the experiments that are named.")
    return found or [store.get_experiment(each) for each in sorted(held, key=int)]


def _existing(uri: str) -> str:
    """The URI of a store that is there: what is only read must not be made by looking for it.

    Raises:
        NotFound: There is no such file or folder.
    """
    if not modes.is_there(uri):
        raise NotFound(f"There is nothing at {uris.masked(uri)} that could be sent.", hint="Check the source's name.")
    return uri


def _texts(given: Sequence[str] | str) -> tuple[str, ...]:
    return (given,) if isinstance(given, str) else tuple(given)
