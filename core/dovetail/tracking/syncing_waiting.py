"""What waits on this machine: what was logged offline, what processes left behind, and what stores refused."""

from __future__ import annotations

import json
import os
from contextlib import ExitStack
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING

from dovetail import plugins, uris
from dovetail.errors import DovetailError, InvalidUri, NotFound, StoreError
from dovetail.tracking import console, modes, places, recorders
from dovetail.tracking.journal.delivery import REFUSED
from dovetail.tracking.journal.folder import claimed, orphans
from dovetail.tracking.journal.place import folder_of, folders_elsewhere
from dovetail.tracking.journal.reader import JournalReader
from dovetail.tracking.journal.recovery import DAMAGED, recover
from dovetail.tracking.offline import offline_folders
from dovetail.tracking.syncing_experiments import bring
from dovetail.tracking.syncing_files import Files
from dovetail.tracking.syncing_report import SyncReport
from dovetail.tracking.syncing_source import StoreSource

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from dovetail.tracking.offline import OfflineFolder
    from dovetail.tracking.store import TrackingStore
    from dovetail.values import Run

__all__ = ["Waiting", "send_each", "send_waiting", "waiting"]


@dataclass(frozen=True)
class Waiting:
    """Something that lies on this machine and belongs elsewhere.

    Args:
        kind: ``journal``: what a process left behind; ``output``: what one printed, for its runs; ``live``: what a
            process is logging now, and delivers itself; ``offline``: runs logged offline; ``refused``: what a store did
            not take, which nobody sends again; ``unreadable``: what could not be looked at, or not as a whole.
        path: The file or folder.
        destination: Where it belongs, without passwords; empty if nobody knows.
        count: Runs, or entries that were refused; 1 for a journal.
        detail: The process that wrote a journal, or why something could not be read.
    """

    kind: str
    path: str
    destination: str
    count: int = 1
    detail: str = ""


def waiting() -> list[Waiting]:
    """What waits on this machine for the places in force and for any other; nothing is sent or changed."""
    found = [each for folder, uri in _journal_folders() for each in _in_journals(folder, uri)]
    found += [Waiting("output", str(folder), place, count) for folder, place, count in console.waiting()]
    return found + [_offline(folder) for folder in offline_folders()]


def send_waiting(*, dry_run: bool = False, progress: Callable[[str], None] | None = None) -> SyncReport:
    """Send everything that waits on this machine to where it belongs.

    Args:
        dry_run: Whether to send nothing: journals are left out then.
        progress: Told the id of each run that is done.

    Raises:
        StoreError: Some of it could not be sent; all else was.
    """
    whole, failures = SyncReport(dry_run=dry_run), []
    for report, failure in send_each(dry_run=dry_run, progress=progress):
        whole.add(report)
        if failure is not None:
            failures.append(failure)
    if failures:
        raise failures[0]
    return whole


def send_each(
    *, dry_run: bool = False, progress: Callable[[str], None] | None = None
) -> Iterator[tuple[SyncReport, DovetailError | None]]:
    """As ``send_waiting``, one place after the other.

    Yields:
        What was sent, and what kept the rest from it.
    """
    if not dry_run:
        recorders.drain_all()
        for folder, uri in _journal_folders():
            if orphans(folder):
                report, failure = _send_journals(folder, uri)
                if failure is not None or report.changed:  # else processes are still at all of them
                    yield report, failure
    for offline in offline_folders():
        yield _send_offline(offline, dry_run=dry_run, progress=progress)
    if not dry_run:  # runs may have come with the above
        for place in dict.fromkeys(place for _, place, _ in console.waiting()):
            yield _send_output(place)


# --- journals --------------------------------------------------------------------------------------------------


def _journal_folders() -> list[tuple[Path, str]]:
    """Each folder of journals with the URI that it belongs to, as far as that is known."""
    found = dict.fromkeys(folders_elsewhere(), "")
    for uri in _near():
        found[_folder_beside(uri)] = uri
    return list(found.items())


def _near() -> list[str]:
    """The stores whose journals lie beside them: the one in force, and the folders of what is offline."""
    own = [places.get_tracking_uri()] if uris.scheme_of(places.get_tracking_uri()) in ("sqlite", "dir") else []
    return [each for each in (*own, *(folder.uri for folder in offline_folders())) if modes.is_there(each)]


def _folder_beside(uri: str) -> Path:
    store: TrackingStore = plugins.find("tracking_stores", uris.scheme_of(uri))(uri)
    try:
        return folder_of(store)
    finally:
        store.close()


def _in_journals(folder: Path, uri: str) -> list[Waiting]:
    if folder.is_dir() and not os.access(folder, os.R_OK | os.X_OK):
        return [Waiting("unreadable", str(folder), uris.masked(uri), detail="another user's journals")]
    found = [_journal(path, uri) for path in orphans(folder)]
    damaged = sorted(folder.glob(f"*{DAMAGED}"))
    said = "damaged; what is whole is in the store"
    found += [Waiting("unreadable", str(path), uris.masked(uri), detail=said) for path in damaged]
    refused = folder / REFUSED
    if refused.is_file():
        with refused.open("rb") as file:
            found.append(Waiting("refused", str(refused), uris.masked(uri), sum(1 for _ in file)))
    return found


def _journal(path: Path, uri: str) -> Waiting:
    try:
        with path.open("rb") as file:
            header = JournalReader(file).header
    except (StoreError, OSError) as failure:
        return Waiting("unreadable", str(path), uris.masked(uri), detail=str(failure))
    with claimed(path) as file:
        kind = "live" if file is None else "journal"
    return Waiting(kind, str(path), header.uri, detail=f"process {header.pid} on {header.host}")


def _send_journals(folder: Path, uri: str) -> tuple[SyncReport, DovetailError | None]:
    report = SyncReport(str(folder), uris.masked(uri))
    try:
        with ExitStack() as closing:
            where = uri or _header_uri(folder)
            report.destination = uris.masked(where)
            # Opening a store brings in what waits for it; that it cannot be brought in is said here.
            before = len(orphans(folder))
            store = places.open_place(_real(where), closing)
            recover(store, folder)
            report.journals = before - len(orphans(folder))
    except DovetailError as failure:
        return report, failure
    return report, None


def _header_uri(folder: Path) -> str:
    """Where the journals of a folder belong; all of them belong to the same place."""
    for path in orphans(folder):
        with path.open("rb") as file:
            return JournalReader(file).header.uri
    raise NotFound(f"There are no journals in {folder}.")


def _send_output(place: str) -> tuple[SyncReport, DovetailError | None]:
    report = SyncReport("console output", place)
    try:
        with ExitStack() as closing:
            uri = _real(place)
            report.outputs, failures = console.deliver(uri, places.open_place(uri, closing))
    except DovetailError as failure:
        return report, failure
    for run_id, reason in failures.items():
        if isinstance(reason, StoreError):
            return report, reason
        report.refuse("console output", run_id, reason)
    return report, None


# --- offline folders -------------------------------------------------------------------------------------------


def _offline(folder: OfflineFolder) -> Waiting:
    with ExitStack() as closing:
        try:
            source = StoreSource(places.open_place(folder.uri, closing))
            sent = folder.sent()
            unsent = sum(sent.get(run.info.run_id) != _likeness(run) for run in _runs(source))
        except DovetailError as failure:
            return Waiting("unreadable", str(folder.path), folder.destination, detail=failure.message)
    return Waiting("offline", str(folder.path), folder.destination, unsent)


def _send_offline(
    folder: OfflineFolder, *, dry_run: bool, progress: Callable[[str], None] | None
) -> tuple[SyncReport, DovetailError | None]:
    report = SyncReport(folder.uri, folder.destination, dry_run)
    try:
        with ExitStack() as closing:
            source = StoreSource(places.open_place(folder.uri, closing))
            store = places.open_place(_real(folder.destination), closing)
            before = {run.info.run_id: _likeness(run) for run in _runs(source)}
            bring(source, store, report, files=Files(report, store), progress=progress)
            if not dry_run:
                folder.note_sent(before)
    except DovetailError as failure:
        return report, failure
    return report, None


def _runs(source: StoreSource) -> Iterator[Run]:
    for experiment in source.experiments():
        for page in source.runs(experiment.experiment_id):
            yield from page


def _likeness(run: Run) -> str:
    """What changes when anything is logged to the run."""
    latest = sorted((each.key, each.step, each.timestamp, repr(each.value)) for each in run.data.latest)
    said = [run.info.status, run.info.end_time, run.data.params, run.data.tags, latest]
    return sha256(json.dumps(said, sort_keys=True).encode("utf-8", "surrogatepass")).hexdigest()[:16]


# --- places ----------------------------------------------------------------------------------------------------


def _real(masked: str) -> str:
    """The URI in force whose masked form this is: passwords are never kept, so they come from the settings.

    Raises:
        InvalidUri: It had a password, and no setting names it.
    """
    if masked == uris.masked(own := places.get_tracking_uri()):
        return own
    if "***" not in masked:
        return masked
    raise InvalidUri(
        f"{masked} needs a password, which was not kept.",
        hint="Set DOVETAIL_TRACKING_URI to it, with the password, and call `dovetail sync` again.",
    )
