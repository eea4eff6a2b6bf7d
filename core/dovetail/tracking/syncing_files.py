"""Copying artifacts from one store's place to another's, in constant memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dovetail import uris
from dovetail.errors import DovetailError, InvalidInput, StoreError, StoreUnavailable
from dovetail.locations import artifact_store
from dovetail.tracking.own_folder import place_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dovetail.artifacts.store import ArtifactStore
    from dovetail.tracking.store import TrackingStore
    from dovetail.tracking.syncing_report import SyncReport
    from dovetail.values import FileInfo

__all__ = ["Files"]


class Files:
    """Copies artifacts, except what lies at the destination already: the same name with the same size.

    Where both are on this machine, a file that was changed since it was copied is copied again.

    Args:
        report: Told what was done.
        store: The store that says the destinations.
        source: The one that says the sources; None where these mean the same wherever this process tracks.
    """

    def __init__(self, report: SyncReport, store: TrackingStore, source: TrackingStore | None = None) -> None:
        self._report, self._store, self._source = report, store, source
        self.moved: dict[str, str] = {}
        """Where what lay at a place lies now, if that is another place."""

    def copy(self, source: str, destination: str, owner: str) -> None:
        """Copy a folder; what cannot be read or is refused is noted.

        Args:
            source: The URI of the folder.
            destination: The URI of the folder that it becomes.
            owner: The run or model it belongs to.

        Raises:
            StoreError: The destination fails.
        """
        if not source or not destination:
            return
        here, there = self._place(source), self._store.artifact_place(destination)
        if place_of(here) == place_of(there):
            return
        self.moved[source] = destination
        try:
            self._copy(artifact_store(here), artifact_store(there))
        except (StoreUnavailable, _WritingFailedError) as failure:
            raise failure.reason if isinstance(failure, _WritingFailedError) else failure from failure
        except DovetailError as refusal:
            self._report.refuse("artifacts", owner, refusal)

    def count(self, source: str, place: str, owner: str) -> None:
        """Note what would be copied for a run or model that is not there yet.

        Args:
            source: The URI of its folder.
            place: The URI that its folder will lie below; empty if that is not known yet.
            owner: Its id.
        """
        if not source or (place and self._is_below(source, place)):
            return  # it stays where it is
        try:
            for _, infos in _folders(artifact_store(self._place(source))):
                for info in infos:
                    self._count(info)
        except StoreUnavailable:
            raise
        except DovetailError as refusal:
            self._report.refuse("artifacts", owner, refusal)

    def _place(self, source: str) -> str:
        return source if self._source is None else self._source.artifact_place(source)

    def _is_below(self, source: str, place: str) -> bool:
        there = place_of(self._store.artifact_place(place))
        return f"{place_of(self._place(source))}/".startswith(f"{there}/")

    def _copy(self, source: ArtifactStore, destination: ArtifactStore) -> None:
        for folder, infos in _folders(source):
            there = {info.path: info.file_size for info in destination.list(folder) if not info.is_dir}
            for info in infos:
                if there.get(info.path, -1) == info.file_size and not _changed(source, destination, info.path):
                    continue
                self._count(info)
                if not self._report.dry_run:
                    _put(source, destination, info.path)

    def _count(self, info: FileInfo) -> None:
        self._report.files += 1
        self._report.bytes += info.file_size or 0


class _WritingFailedError(Exception):
    """The destination failed: that is for whoever asked, unlike what a single file is refused for."""

    def __init__(self, reason: StoreError) -> None:
        super().__init__(reason.message)
        self.reason = reason


def _put(source: ArtifactStore, destination: ArtifactStore, path: str) -> None:
    with source.open(path) as stream:
        try:
            destination.put(path, stream)
        except StoreError as failure:
            raise _WritingFailedError(failure) from failure


def _changed(source: ArtifactStore, destination: ArtifactStore, path: str) -> bool:
    ours, theirs = source.local_path(path), destination.local_path(path)
    if ours is None or theirs is None:
        return False
    return ours.stat().st_mtime_ns > theirs.stat().st_mtime_ns


def _folders(store: ArtifactStore) -> Iterator[tuple[str, list[FileInfo]]]:
    """Each folder with the files in it."""
    waiting = [""]
    while waiting:
        folder = waiting.pop()
        infos = list(store.list(folder))
        for info in infos:
            _require_in(folder, info.path, store)
        waiting += [info.path for info in infos if info.is_dir]
        yield folder, [info for info in infos if not info.is_dir]


def _require_in(folder: str, path: str, store: ArtifactStore) -> None:
    """What a store lists may come from anybody: a name must not climb out of the folder that it is listed in."""
    if uris.artifact_path(path) != path or path.rpartition("/")[0] != folder:
        raise InvalidInput(f"The artifact store {uris.masked(store.uri)} lists {path!r} in the folder {folder!r}.")
