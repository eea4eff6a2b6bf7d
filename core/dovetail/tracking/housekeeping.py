"""Emptying the bin: what was deleted goes for good, its artifacts first."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from dovetail import settings, uris
from dovetail.durations import GRAMMAR, seconds_of
from dovetail.errors import DovetailError, InvalidInput, InvalidState
from dovetail.tracking import places
from dovetail.tracking.casting import as_list
from dovetail.tracking.neighbours import Neighbours, called
from dovetail.tracking.own_folder import OwnFolder
from dovetail.tracking.protection import Registered, registries_beside
from dovetail.values import DEFAULT_EXPERIMENT_ID
from dovetail.values.measure import now_ms

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from dovetail.tracking.bin import Discarded
    from dovetail.tracking.store import TrackingStore

__all__ = ["Collected", "GarbageReport", "collect_garbage"]


@dataclass(frozen=True)
class Collected:
    """One thing in the bin, and what became of it.

    Args:
        kind: ``run``, ``logged_model`` or ``experiment``.
        id: Its id.
        name: What people call it.
        outcome: ``removed``; ``kept``, because somebody still needs it; or ``failed``: the next time goes on with it.
        size: Bytes of its artifacts that are free now, or would be.
        reason: Why it was kept or failed.
    """

    kind: str
    id: str
    name: str
    outcome: str
    size: int = 0
    reason: str = ""


@dataclass(frozen=True)
class GarbageReport:
    """What became of the things in the bin.

    Args:
        collected: Each of them, in the order in which they went.
        dry_run: Whether nothing was removed: ``removed`` then means what would be.
    """

    collected: tuple[Collected, ...]
    dry_run: bool = False

    @property
    def removed(self) -> list[Collected]:
        """What is gone."""
        return [each for each in self.collected if each.outcome == "removed"]

    @property
    def kept(self) -> list[Collected]:
        """What somebody still needs."""
        return [each for each in self.collected if each.outcome == "kept"]

    @property
    def failed(self) -> list[Collected]:
        """What could not be removed: the next time goes on with it.

        Where it failed while it was being taken away, it cannot be restored any more.
        """
        return [each for each in self.collected if each.outcome == "failed"]

    @property
    def size(self) -> int:
        """Bytes of artifacts that are free now, or would be."""
        return sum(each.size for each in self.removed)


def collect_garbage(
    older_than: str | float | None = None,
    run_ids: Sequence[str] | str | None = None,
    experiment_ids: Sequence[str] | str | None = None,
    logged_model_ids: Sequence[str] | str | None = None,
    *,
    dry_run: bool = False,
    confirmed: GarbageReport | None = None,
    tracking_uri: str | os.PathLike[str] | None = None,
    progress: Callable[[Collected], None] | None = None,
) -> GarbageReport:
    """Take away for good what was deleted: runs, logged models and experiments, their artifacts first.

    What a version of a registered model refers to stays in the bin, whole; so does what shares its artifact folder with
    something else, and an experiment in which something stays. The default experiment stays, without its runs. Where
    the artifacts cannot be removed, the thing cannot be restored any more, and the next call goes on with it, as it
    does after a crash. Several calls at once do no harm.

    Args:
        older_than: How long something must have been in the bin: seconds, or text such as ``30d`` or ``1d2h3m4s``; by
            default what the setting ``retention`` says.
        run_ids: Only these runs, beside the others that are named; a single id is accepted.
        experiment_ids: Only these experiments with all that is in them, beside the others that are named.
        logged_model_ids: Only these logged models, beside the others that are named.
        dry_run: Remove nothing, only say what would be removed.
        confirmed: What a dry run said, and somebody has agreed to: of what is meant, only what was to be removed then
            goes now. What came into the bin since is left alone, what left it is passed over, and the rest is
            reported as it was.
        tracking_uri: Where; by default the tracking URI in force.
        progress: Told about each thing as soon as it is done with.

    Returns:
        What became of each thing.

    Raises:
        InvalidState: Something that is named is not in the bin, or not for so long; nothing was removed.
        InvalidInput: ``older_than`` is no length of time, or what is named are no ids.
        StoreError: The bin or a model registry cannot be read; nothing was removed.
    """
    store = places.tracking_store() if tracking_uri is None else places.open_store(tracking_uri)
    given = {"run": run_ids, "experiment": experiment_ids, "logged_model": logged_model_ids}
    named = {kind: _ids(kind, ids) for kind, ids in given.items()}
    items = _chosen(store, _age(older_than), named)
    if confirmed is not None:
        agreed = {(each.kind, each.id) for each in confirmed.removed}
        items = [item for item in items if (item.kind, item.id) in agreed]
    done = [each for each in confirmed.collected if each.outcome != "removed"] if confirmed else []
    for collected in _Collection(store, dry_run=dry_run).of(items) if items else ():
        done.append(collected)
        if progress is not None:
            progress(collected)
    return GarbageReport(tuple(done), dry_run)


# --- what is meant ------------------------------------------------------------------------------------------------


def _ids(kind: str, one_or_more: Sequence[str] | str | None) -> set[str]:
    what = kind.replace("_", " ")
    ids = [one_or_more] if isinstance(one_or_more, str) else as_list(f"The ids of {what}s", one_or_more or ())
    for each in ids:
        if not isinstance(each, str):
            raise InvalidInput(f"The id of a {what} is text, not {each!r:.80}.")
    return set(ids)


def _age(older_than: str | float | None) -> float:
    """Seconds that something must have been in the bin."""
    if older_than is None:
        return float(settings.get("retention"))
    try:
        age = seconds_of(older_than) if isinstance(older_than, str) else float(older_than)
        if age >= 0:  # NaN is not either
            return age
    except (TypeError, ValueError, OverflowError):
        pass
    raise InvalidInput(f"older_than is {str(older_than)[:80]!r}, which is no length of time.", hint=f"Write {GRAMMAR}.")


def _chosen(store: TrackingStore, age: float, named: dict[str, set[str]]) -> list[Discarded]:
    """What is to go, in the order of the bin.

    Raises:
        InvalidState: Something that is named is not in the bin, or not for so long.
    """
    due = list(store.discarded(int(max(0.0, now_ms() - age * 1000)) if age else None))
    if not any(named.values()):
        return due
    found = {(item.kind, item.id) for item in due}
    missing = [(kind, identity) for kind, ids in named.items() for identity in sorted(ids)]
    missing = [each for each in missing if each not in found]
    if missing:
        raise _not_due(store, *missing[0])
    return [item for item in due if item.id in named[item.kind] or item.experiment_id in named["experiment"]]


def _not_due(store: TrackingStore, kind: str, identity: str) -> InvalidState:
    what = called(kind, identity)
    if any((item.kind, item.id) == (kind, identity) for item in store.discarded()):
        return InvalidState(
            f"Nothing was removed: {what} is in the bin, but has not been there long enough.",
            hint="Wait, or ask for a shorter time with older_than (--older-than 0).",
        )
    hint = "Delete it first, and give its whole id."
    return InvalidState(f"Nothing was removed: {what} is not in the bin.", hint=hint)


# --- taking it away -----------------------------------------------------------------------------------------------


class _Collection:
    """Takes things away one by one."""

    def __init__(self, store: TrackingStore, *, dry_run: bool) -> None:
        self._store = store
        self._dry_run = dry_run
        self._registered = Registered(store, registries_beside(store.uri))
        self._neighbours = Neighbours(store)
        self._gone: set[tuple[str, str]] = set()

    def of(self, items: Iterable[Discarded]) -> Iterator[Collected]:
        """What becomes of each thing."""
        return map(self._outcome_of, items)

    def _outcome_of(self, item: Discarded) -> Collected:
        try:
            reason = self._reason_to_keep(item)
            return self._removed(item) if reason is None else _outcome(item, "kept", reason=reason)
        except DovetailError as error:
            return _outcome(item, "failed", reason=error.message)

    def _reason_to_keep(self, item: Discarded) -> str | None:
        if item.kind != "experiment":
            return self._registered.reason(item) or self._neighbours.reason(item)
        if left := self._left.get(item.id):
            return f"{called(*left)} stays in it"
        if item.id == DEFAULT_EXPERIMENT_ID:
            return "it is the default experiment, which scripts that name none log to"
        return None

    @cached_property
    def _left(self) -> dict[str, tuple[str, str]]:
        """One thing of each experiment that still has any; asked for when runs and logged models are done with."""
        members = ((item.kind, item.id, item.experiment_id) for item in self._store.discarded())
        return {
            number: (kind, identity)
            for kind, identity, number in members
            if kind != "experiment" and (kind, identity) not in self._gone
        }

    def _removed(self, item: Discarded) -> Collected:
        folder = None if item.kind == "experiment" else OwnFolder.of(item)
        if self._dry_run:
            size = folder.size() if folder else 0
        elif not self._store.condemn(item):
            return _outcome(item, "kept", reason="it was restored, or somebody else took it away, meanwhile")
        else:
            size = self._purged(item, folder)
        self._gone.add((item.kind, item.id))
        return _outcome(item, "removed", size)

    def _purged(self, item: Discarded, folder: OwnFolder | None) -> int:
        """Remove the artifacts, then everything else; bytes of the artifacts."""
        size = folder.size() if folder else 0
        if folder:
            folder.delete()
        self._store.purge(item)
        if folder is None:
            _remove_empty(item)
        return size


def _outcome(item: Discarded, outcome: str, size: int = 0, reason: str = "") -> Collected:
    return Collected(item.kind, item.id, item.name, outcome, size, reason)


def _remove_empty(experiment: Discarded) -> None:
    """Remove the folder that an experiment got by its id, if nothing is left in it: it may be full of others' files."""
    uri = experiment.artifact_uri
    if uris.is_local(uri) and (path := uris.path_of(uri)).name == experiment.id:
        with suppress(OSError):  # it is not there, or not empty
            path.rmdir()
