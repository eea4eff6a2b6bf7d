"""Console output kept with runs that ask for it (``start_run(log_output=True)``, or the setting ``log_output``).

One capture serves all runs of a process: a run's output is what was printed from its start to its end, and what a child
run printed belongs to its parent, too. It becomes an artifact from time to time, and at the end of the run; where the
process dies the relay brings in what is left, and where that fails, whoever captures next on this machine does.
"""

from __future__ import annotations

import io
import json
import logging
import os
import shutil
import sys
import threading
import time
import uuid
from collections import Counter
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from dovetail import locations, posix, uris
from dovetail.errors import DovetailError, StoreError, StoreUnavailable
from dovetail.folders import state_folder
from dovetail.tracking import places
from dovetail.tracking.console_capture import LOCK, Capture
from dovetail.tracking.console_relay import RUNS, kept

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from dovetail.tracking.store import TrackingStore
    from dovetail.values import Run

__all__ = ["LOG_ARTIFACT", "begin", "deliver", "finish", "later_log", "recover", "say", "waiting"]

LOG_ARTIFACT = "logs/output.log"
PACE, SLOWEST = 10.0, 60.0
"""Seconds between two uploads while a run lasts: at first, and when it lasts long."""
_LONGEST_UPLOAD = 10.0
"""Seconds that the end of a run waits for an upload that is under way."""
_log = logging.getLogger(__name__)


@dataclass
class _Kept:
    """A run whose output is kept; what of it has to outlive the process is written down.

    Args:
        run_id: The run.
        place: Where it is tracked, without passwords.
        path: The artifact.
        start: Where in the capture its output begins.
        end: Where it ends; None for one that has not ended, or whose process died.
    """

    run_id: str
    place: str
    path: str
    start: int
    end: int | None = None
    uploaded: int = -1


_lock = threading.RLock()
_capture: Capture | None = None
_kept: dict[str, tuple[_Kept, str]] = {}  # with its artifact location, which may have a password in it
_left: list[_Kept] = []  # ended, but not brought in
_stopped = threading.Event()
_uploader: threading.Thread | None = None


def begin(run: Run, uri: str, *, again: bool = False) -> None:
    """Keep what is printed from now on with a run; that it cannot be kept is said, and ends no training.

    Args:
        run: The run.
        uri: Where it is tracked.
        again: Whether it was taken up, so that others may have kept output with it.
    """
    run_id = run.info.run_id
    with _lock:
        if run_id in _kept:
            return
        try:
            start = _begin_capture(uri)
            _kept[run_id] = (
                _Kept(run_id, uris.masked(uri), later_log() if again else LOG_ARTIFACT, start),
                places.open_store(uri).artifact_place(run.info.artifact_uri),
            )
            _write_down()
        except (DovetailError, OSError) as error:
            _kept.pop(run_id, None)
            _log.warning("Console output is not kept with run %s: %s", run_id, error)
            if not _kept:
                _stop()


def say(run_id: str, text: str) -> None:
    """Keep a text with a run that was not printed, such as what an exception says that nobody has printed yet."""
    with _lock:
        if _capture is not None and run_id in _kept:
            _capture.settled()
            _capture.note(text)


def finish(run_id: str) -> None:
    """Bring in all that was printed, and keep no more with this run; with the last one the capture ends."""
    with _lock:
        if _capture is None or run_id not in _kept:
            return
        capture, (run, location) = _capture, _kept[run_id]
        run.end = capture.settled()
    brought = _tried(capture, run, location)  # others may start and end runs meanwhile
    with _lock:
        if _kept.pop(run_id, None) is None:
            return  # another thread ended it, too
        if not brought:
            _left.append(run)
        _write_down()
        if not _kept:
            _stop()


def recover(folder: str | None = None) -> None:
    """Bring in what processes left behind that died, as far as it belongs to runs of the store in force.

    Args:
        folder: What one process left; by default all there is on this machine.
    """
    uri = places.get_tracking_uri()
    for each in [Path(folder)] if folder else _folders():
        with _claimed(each) as is_left:
            if is_left and (failures := _bring_in(each, uri, lambda: places.open_store(uri))[1]):
                raise next(iter(failures.values()))


def waiting() -> list[tuple[Path, str, int]]:
    """What processes left behind that died: the folder, the place without passwords, and of how many of its runs."""
    found: Counter[tuple[Path, str]] = Counter()
    for folder in _folders():
        with _claimed(folder) as is_left:
            found.update((folder, run.place) for run in (_noted(folder) if is_left else ()))
    return [(folder, place, count) for (folder, place), count in found.items()]


def deliver(uri: str, store: TrackingStore) -> tuple[int, dict[str, DovetailError | OSError]]:
    """Bring in all that processes left behind that died, as far as it belongs to a place.

    Args:
        uri: The place's.
        store: The store there.

    Returns:
        Of how many runs it was brought in, and for which others it could not be, with the reason; theirs stays.
    """
    brought, failures = 0, {}
    for folder in _folders():
        with _claimed(folder) as is_left:
            if is_left:
                count, failed = _bring_in(folder, uri, lambda: store)
                brought += count
                failures.update(failed)
    return brought, failures


# --- capturing ------------------------------------------------------------------------------------------------


def _home() -> Path:
    return state_folder() / "console"


def later_log() -> str:
    """The artifact of whoever takes a run up: it lies beside what others kept before."""
    return f"logs/output-{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}-{os.getpid()}.log"


def _begin_capture(uri: str) -> int:
    global _capture, _uploader  # noqa: PLW0603 - the process's
    if _capture is not None:
        return _capture.settled()
    _capture = Capture(_home() / uuid.uuid4().hex, {**os.environ, "DOVETAIL_TRACKING_URI": uri})
    _stopped.clear()
    _uploader = threading.Thread(target=_keep_uploading, args=[_capture], name="dovetail-console", daemon=True)
    _uploader.start()
    return 0


def _write_down() -> None:
    """Note for others which runs are to get what is kept; none when all have it."""
    if _capture is None:
        return
    path = _capture.folder / RUNS
    if runs := [*_left, *(run for run, _ in _kept.values())]:
        _note(path, runs)
    else:
        path.unlink(missing_ok=True)


def _note(path: Path, runs: list[_Kept]) -> None:
    fresh = path.with_suffix(".new")
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        json.dump([asdict(run) for run in runs], file)
    fresh.replace(path)


def _stop() -> None:
    """End the capture; what could not be brought in stays for whoever comes later."""
    global _capture
    if _capture is None:
        return
    capture, _capture = _capture, None
    _stopped.set()
    capture.stop()
    if not _left:
        shutil.rmtree(capture.folder, ignore_errors=True)  # a relay that serves children may still write there
    _left.clear()


# --- bringing in ----------------------------------------------------------------------------------------------


def _keep_uploading(capture: Capture) -> None:
    """What is printed shows while the run lasts, more seldom the longer it lasts."""
    try:
        recover()
    except DovetailError as error:
        _log.warning("Output of processes that died stays in %s for now: %s", _home(), error)
    pause = PACE
    while not _stopped.wait(pause) and capture is _capture:
        for run, location in list(_kept.values()):
            _try_meanwhile(capture, run, location)
        pause = min(SLOWEST, pause * 1.5)


def _try_meanwhile(capture: Capture, run: _Kept, location: str) -> None:
    content = capture.content(run.start)
    if len(content) != run.uploaded and run.run_id in _kept:
        try:
            _upload(run, location, content)
        except (DovetailError, OSError) as error:
            _log.debug("Output of run %s is brought in later: %s", run.run_id, error)


def _tried(capture: Capture, run: _Kept, location: str) -> bool:
    try:
        content = capture.content(run.start, run.end)
        if len(content) != run.uploaded:
            _upload(run, location, content)
    except (DovetailError, OSError) as error:
        sys.stderr.write(
            f"dovetail: output of run {run.run_id} cannot be uploaded: {error}\n"
            f"  It lies in {capture.folder}; the next run that keeps its output brings it in.\n"
        )
        return False
    return True


_uploading = threading.Lock()


def _upload(run: _Kept, location: str, content: bytes) -> None:
    if not _uploading.acquire(timeout=_LONGEST_UPLOAD):
        raise StoreError("An upload that is under way does not come to an end.")
    try:
        locations.artifact_store(location).put(run.path, io.BytesIO(content))
        run.uploaded = len(content)
    finally:
        _uploading.release()


def _folders() -> list[Path]:
    return sorted(each for each in _home().glob("*") if (each / RUNS).is_file())


@contextmanager
def _claimed(folder: Path) -> Iterator[bool]:
    """Hold what a process left; False if it or its relay lives, or somebody else has it."""
    try:
        lease = posix.hold(folder / LOCK, timeout=0, create=False)
    except OSError:  # it is held, was brought in meanwhile, or is another user's
        yield False
        return
    try:
        yield (folder / RUNS).is_file()
    finally:
        os.close(lease)


def _noted(folder: Path) -> list[_Kept]:
    return [_Kept(**each) for each in json.loads((folder / RUNS).read_text(encoding="utf-8"))]


def _bring_in(
    folder: Path, uri: str, open_store: Callable[[], TrackingStore]
) -> tuple[int, dict[str, DovetailError | OSError]]:
    """Bring in what one process left; what belongs to other stores stays for those who open them."""
    runs, failures = _noted(folder), dict[str, DovetailError | OSError]()
    brought = []
    for run in runs:
        if run.place == uris.masked(uri) and not any(isinstance(each, StoreUnavailable) for each in failures.values()):
            try:
                store = open_store()
                location = store.artifact_place(store.get_run(run.run_id).info.artifact_uri)
                _upload(run, location, kept(str(folder), run.start, run.end))
                brought.append(run)
            except (DovetailError, OSError) as failure:
                failures[run.run_id] = failure
    if left := [run for run in runs if run not in brought]:
        _note(folder / RUNS, left)
    else:
        shutil.rmtree(folder, ignore_errors=True)
    return len(brought), failures


def _begin_anew_after_fork() -> None:
    """What a child prints is kept with the parent's runs, by the parent."""
    global _lock, _uploading, _capture, _uploader, _stopped  # noqa: PLW0603 - the module's state
    _lock, _uploading, _stopped = threading.RLock(), threading.Lock(), threading.Event()
    if _capture is not None:
        _capture.abandon()
    _capture = _uploader = None
    _kept.clear()
    _left.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_begin_anew_after_fork)
