"""The folder of prepared environments: each is made once, whole or not at all, however many processes ask for it."""

from __future__ import annotations

import errno
import os
import shutil
import sys
import uuid
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from dovetail.environments.lease import Lease
from dovetail.environments.record import Record, write_record
from dovetail.errors import EnvironmentFailed
from dovetail.posix import hold, locked, private_folder
from dovetail.settings import get as setting

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from dovetail.environments.manager import Progress

__all__ = [
    "TRASH",
    "cache_folder",
    "discard",
    "env_folder",
    "env_place",
    "lock_of",
    "make_once",
    "mark_of",
    "put_aside",
    "remove_tree",
]

TRASH = ".trash-"
_READY = "dovetail-ready"
# Whoever only looks whether an environment is in use has it locked for a moment; that is not worth a word.
_PATIENCE = 0.5
# A folder of somebody else's, which may be read and not written: it does not hear of our use.
_NOT_OURS = (errno.EACCES, errno.EPERM, errno.EROFS)


def cache_folder() -> Path:
    """Where dovetail keeps what it can make again: below ``XDG_CACHE_HOME`` or the system's folder for caches."""
    if base := os.environ.get("XDG_CACHE_HOME"):
        return Path(base) / "dovetail"
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local") / "dovetail" / "cache"
    return Path.home() / ".cache" / "dovetail"


def env_place(folder: Path | None = None) -> Path:
    """Where prepared environments lie.

    Args:
        folder: Where the caller wants it; by default the setting ``env_dir``, then ``envs`` in the cache folder.
    """
    return Path(folder or setting("env_dir") or cache_folder() / "envs").expanduser().absolute()


def env_folder(folder: Path | None = None) -> Path:
    """The same folder, made where absent.

    Raises:
        EnvironmentFailed: It cannot be made.
    """
    place = env_place(folder)
    try:
        return private_folder(place)
    except OSError as error:
        raise _no_room(place, error) from error


def mark_of(folder: Path) -> Path:
    """The file that says that an environment is whole.

    It is touched each time somebody takes the environment, and locked by all who use it, together.
    """
    return folder / _READY


def lock_of(folder: Path) -> Path:
    """The file that is locked while an environment is made or removed, and that says where it comes from."""
    return folder.with_name(f"{folder.name}.lock")


def make_once(
    folder: Path,
    make: Callable[[int], None],
    progress: Progress,
    *,
    whole: Callable[[], bool],
    record: Record | None = None,
) -> Lease:
    """Make an environment's folder unless it stands there ready; others who want it wait for the one who makes it.

    Environments cannot be made elsewhere and moved into place, since their scripts name the place they were made for.
    So one is made where it stays, and a mark written last says that it is whole. What a killed process left is
    removed by the next one. The maker's children should keep the descriptor that ``make`` is given: then the next one
    also waits for an installer that outlived its parent.

    Args:
        folder: Where the environment is to stand, in a folder that exists. Beside it lies a lock file.
        make: Makes it; called with the descriptor of the lock. When it fails or is interrupted, the folder is removed.
        progress: Told when this process has to wait for another.
        whole: Whether what is marked as ready is still usable; if not, it is made anew.
        record: What to write down about it when it is made.

    Returns:
        A share in it: it is not removed while the caller keeps that, or a child has inherited what it holds.

    Raises:
        EnvironmentFailed: The folder cannot be written.
    """
    try:
        return _share(folder, whole) or _made(folder, make, progress, whole, record or Record())
    except OSError as error:
        raise _no_room(folder, error) from error


def discard(folder: Path) -> None:
    """Remove a folder, which takes another name first: a removal that is cut short leaves nothing that looks whole.

    Raises:
        OSError: Something in it cannot be removed; it has the other name then.
    """
    with suppress(FileNotFoundError):  # there is nothing to remove
        remove_tree(put_aside(folder))


def put_aside(folder: Path) -> Path:
    """Give a folder a name under which nobody takes it for anything; returns where it lies."""
    return folder.rename(folder.with_name(f"{TRASH}{uuid.uuid4().hex[:12]}"))


def remove_tree(folder: Path) -> None:
    """Remove a folder that somebody else may be removing too."""
    while folder.exists():
        with suppress(FileNotFoundError):  # the other one was quicker with a part of it
            shutil.rmtree(folder)


def _share(folder: Path, whole: Callable[[], bool]) -> Lease | None:
    """A share in the environment if it is ready, with its last use set to now."""
    mark = mark_of(folder)
    if not (mark.exists() and whole()):
        return None
    try:
        lease = Lease(hold(mark, shared=True, create=False))
        _touch(mark)
    except FileNotFoundError:  # it was removed at this moment
        return None
    return lease if whole() else None


def _touch(mark: Path) -> None:
    try:
        os.utime(mark)
    except OSError as error:
        if error.errno not in _NOT_OURS:
            raise


def _made(
    folder: Path, make: Callable[[int], None], progress: Progress, whole: Callable[[], bool], record: Record
) -> Lease:
    """Make it, unless somebody else did while we waited; nobody can remove it before we have a share."""
    with _for_oneself(folder, progress) as descriptor:
        if lease := _share(folder, whole):
            return lease
        write_record(descriptor, record)
        _make(folder, make, descriptor)
        return Lease(hold(mark_of(folder), shared=True, create=False))


@contextmanager
def _for_oneself(folder: Path, progress: Progress) -> Iterator[int]:
    """Hold the environment's lock; others are waited for, and that is said."""
    lock = lock_of(folder)
    with ExitStack() as stack:
        try:
            descriptor = stack.enter_context(locked(lock, timeout=_PATIENCE))
        except TimeoutError:
            progress(f"waiting for another process that prepares {folder.name}")
            descriptor = stack.enter_context(locked(lock))
        yield descriptor


def _make(folder: Path, make: Callable[[int], None], descriptor: int) -> None:
    discard(folder)
    try:
        make(descriptor)
    except BaseException:
        discard(folder)
        raise
    mark_of(folder).touch()


def _no_room(folder: Path, error: OSError) -> EnvironmentFailed:
    return EnvironmentFailed(
        f"The folder {folder} of environments cannot be made: {error.strerror or error}.",
        hint="Make room (`dovetail envs prune`), or have environments made elsewhere: DOVETAIL_ENV_DIR.",
    )
