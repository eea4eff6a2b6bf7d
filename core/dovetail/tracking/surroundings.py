"""What surrounds a run and takes its time to find out: it is found out in the background while the run lasts.

Whether there are uncommitted changes is a tag of every new run. On request (``log_environment``) the changes, the
installed packages and the command are kept with the run, and (``log_output``) what it prints.
"""

from __future__ import annotations

import atexit
import io
import logging
import os
import sys
import threading
import time
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

from dovetail import concealment, locations, settings
from dovetail.errors import DovetailError, RunEnded
from dovetail.tracking import places
from dovetail.tracking.repository import Repository, give_up
from dovetail.tracking.source import DIRTY_TAG, repository, tags_with
from dovetail.values import Batch, Tag

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from dovetail.environments.manager import Environment
    from dovetail.values import Run, RunInfo

__all__ = ["FOLDER", "Asked", "asked", "begin", "begin_project", "end", "say", "tags_of_new_run"]

FOLDER = "dovetail/environment"
CHANGES, COMMAND, PACKAGES = "changes.diff", "command.txt", "packages.txt"
LONGEST = 10.0
"""Seconds that git may take to look for changes."""
MUCH = 8 << 20
"""Bytes of changes that are kept at most."""
_FRESH, _SLOW = 2.0, 600.0  # seconds that an answer holds, and that git is not asked again where it took too long
_LONGEST_WAIT = 15.0
_FAREWELL = 0.2
"""Seconds that the end of the process waits to learn whether there are changes."""
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Asked:
    """What is to be kept with a run.

    Args:
        output: What is printed.
        environment: Changes, packages and command.
    """

    output: bool
    environment: bool


def asked(log_output: bool | None, log_environment: bool | None, *, again: bool) -> Asked:
    """What is to be kept with a run that is about to start; arguments win over settings.

    Args:
        log_output: What ``start_run`` was given.
        log_environment: The same.
        again: Whether the run is taken up: what surrounded its first start stays unless the argument says otherwise.
    """
    environment = log_environment if again or log_environment is not None else settings.get("log_environment")
    return Asked(bool(settings.get("log_output", log_output)), bool(environment))


def tags_of_new_run() -> dict[str, str]:
    """Those that every new run gets, as far as they are known at once."""
    found = repository()
    tags = tags_with(found)
    known = None if found is None else _answers.get(str(found.folder))
    return tags if known is None or not known.is_fresh() else {**known.tags(), **tags}


def begin(run: Run, asked: Asked, *, again: bool) -> None:
    """Find out and keep what surrounds a run that has just started in this process."""
    uri = places.get_tracking_uri()
    if asked.output:
        from dovetail.tracking import console

        console.begin(run, uri, again=again)
    tags = run.data.tags
    wants_tag = not again and "mlflow.source.git.commit" in tags and DIRTY_TAG not in tags
    if wants_tag or asked.environment:
        found = repository()
        _gather(run.info, uri, _Work(found if wants_tag else None, _files(found) if asked.environment else {}))


def begin_project(run: Run, folder: Path, command: str, environment: Environment) -> None:
    """The same for a project that was launched: its changes, and the packages of its environment."""
    found = Repository.around(folder)
    files = _files_of_project(found, folder, command, environment) if settings.get("log_environment") else {}
    if found is not None or files:
        _gather(run.info, places.get_tracking_uri(), _Work(found, files))


def say(run_id: str, error: BaseException) -> None:
    """A run fails by an exception that nobody has printed yet: it is kept with what the run printed."""
    if (console := sys.modules.get("dovetail.tracking.console")) is not None:
        import traceback

        console.say(run_id, "".join(traceback.format_exception(error)))


def end(run_id: str) -> None:
    """A run ends: what was asked for is there when this returns, unless it takes too long."""
    thread = _threads.pop(run_id, None)
    if thread is not None:
        thread.join(_LONGEST_WAIT)
    if (console := sys.modules.get("dovetail.tracking.console")) is not None:
        console.finish(run_id)


# --- gathering ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Work:
    """What is to be found out for a run.

    Args:
        repository: Where to look for changes, for the tag; None for no tag.
        files: What makes each file; None as its answer means that there is none.
    """

    repository: Repository | None
    files: Mapping[str, Callable[[], bytes | None]]


class _Gathering(threading.Thread):
    def __init__(self, info: RunInfo, uri: str, work: _Work) -> None:
        super().__init__(name="dovetail-surroundings", daemon=True)
        self._run_id, self._location, self._uri, self._work = info.run_id, info.artifact_uri, uri, work

    def run(self) -> None:
        """Find out and keep; nothing that goes wrong here reaches the training."""
        try:
            if self._work.repository is not None:
                self._tag(_dirty(self._work.repository).tags())
            if self._work.files:
                self._keep()
        except (DovetailError, OSError) as error:
            _log.warning("What surrounds run %s cannot be kept: %s", self._run_id, error)

    def _tag(self, tags: dict[str, str]) -> None:
        batch = Batch(tags=tuple(Tag(key, value) for key, value in tags.items()))
        if not batch:
            return
        try:
            places.recorder(self._uri).record(self._run_id, batch)
        except RunEnded:
            places.open_store(self._uri).log_batch(self._run_id, batch, ended=True)

    def _keep(self) -> None:
        store = locations.artifact_store(self._location, places.open_store(self._uri))
        for name, made in self._work.files.items():
            if content := made():
                store.put(f"{FOLDER}/{name}", io.BytesIO(content))


_threads: dict[str, _Gathering] = {}


def _gather(info: RunInfo, uri: str, work: _Work) -> None:
    """Find out in the background."""
    thread = _Gathering(info, uri, work)
    if work.files:
        _threads[info.run_id] = thread
    thread.start()


@atexit.register
def _farewell() -> None:
    """Runs have ended by now; git may still be looking through a large repository."""
    until = time.monotonic() + _FAREWELL
    for thread in list(_gathering()):
        thread.join(max(0.0, until - time.monotonic()))
    give_up()


def _gathering() -> Iterator[threading.Thread]:
    return (each for each in threading.enumerate() if isinstance(each, _Gathering))


# --- git ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Answer:
    dirty: bool | None
    when: float

    def is_fresh(self) -> bool:
        return time.monotonic() - self.when < (_SLOW if self.dirty is None else _FRESH)

    def tags(self) -> dict[str, str]:
        return {} if self.dirty is None else {DIRTY_TAG: str(self.dirty)}


_answers: dict[str, _Answer] = {}
_asking = threading.Lock()


def _dirty(found: Repository) -> _Answer:
    """Whether there are changes; runs that start at the same time ask once."""
    folder = str(found.folder)
    with _asking:
        known = _answers.get(folder)
        if known is None or not known.is_fresh():
            known = _answers[folder] = _Answer(found.dirty(LONGEST), time.monotonic())
        return known


def _changes(found: Repository) -> bytes | None:
    """Uncommitted changes without secrets; None where there are none, or git cannot tell in time."""
    content = found.changes(LONGEST, MUCH)
    if content is None:
        _log.warning("Uncommitted changes are not kept: git is not there, failed, or took over %g s.", LONGEST)
        return None
    text = concealment.shown_text(content[:MUCH].decode("utf-8", "surrogateescape"))
    cut = "\n# Cut here: there are more changes than are kept.\n" if len(content) > MUCH else ""
    return (text + cut).encode("utf-8", "surrogateescape")


# --- files ----------------------------------------------------------------------------------------------------


def _files(found: Repository | None) -> dict[str, Callable[[], bytes | None]]:
    """What makes each file. The command is taken down at once: programs change their arguments and folder."""
    try:
        folder = os.getcwd()  # noqa: PTH109 - as it is told
    except FileNotFoundError:  # it is gone
        folder = "."
    command = _command(folder, concealment.shown_command(sys.orig_argv))
    return {COMMAND: lambda: command, PACKAGES: _packages, **_changes_file(found)}


def _files_of_project(
    found: Repository | None, folder: Path, command: str, environment: Environment
) -> dict[str, Callable[[], bytes | None]]:
    content = _command(str(folder), concealment.shown_text(command))
    packages = partial(_packages_of, environment, folder)
    return {COMMAND: lambda: content, PACKAGES: packages, **_changes_file(found)}


def _changes_file(found: Repository | None) -> dict[str, Callable[[], bytes | None]]:
    return {} if found is None else {CHANGES: partial(_changes, found)}


def _command(folder: str, command: str) -> bytes:
    import shlex

    return f"cd {shlex.quote(folder)}\n{command}\n".encode("utf-8", "backslashreplace")[:MUCH]


def _packages_of(environment: Environment, folder: Path) -> bytes | None:
    """What the Python of an environment finds, where dovetail need not be installed."""
    import subprocess

    from dovetail.tracking import packages

    source = Path(packages.__file__).read_text(encoding="utf-8")
    argv, variables = environment.wrap(["python", "-c", source], os.environ)
    try:
        done = subprocess.run(  # noqa: S603 - a list of arguments
            argv,
            env=variables,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=LONGEST,
            check=True,
        )
    except (OSError, subprocess.SubprocessError) as error:
        _log.warning("The packages of %s are not kept: %s", environment.name, type(error).__name__)
        return None
    return concealment.shown_text(done.stdout.decode("utf-8", "replace")).encode()


def _packages() -> bytes:
    return _packages_in(tuple((each, _changed(each)) for each in sys.path))


def _changed(folder: str) -> int:
    """When something was last installed in a folder, or removed from it."""
    try:
        return os.stat(folder or os.curdir).st_mtime_ns  # noqa: PTH116 - of hundreds of runs
    except OSError:
        return 0


@lru_cache(maxsize=1)
def _packages_in(path: tuple[tuple[str, int], ...]) -> bytes:
    """The packages on ``sys.path`` as it is; looking through hundreds takes a tenth of a second."""
    del path
    from dovetail.tracking.packages import frozen

    return concealment.shown_text(frozen()).encode("utf-8", "backslashreplace")


def _begin_anew_after_fork() -> None:
    """The threads are the parent's."""
    global _asking  # noqa: PLW0603 - another thread may have held it when the process forked
    _asking = threading.Lock()
    _threads.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_begin_anew_after_fork)
