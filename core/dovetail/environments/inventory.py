"""The environments that are kept, and what is known about each."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dovetail.environments.cache import TRASH, env_place, lock_of, mark_of
from dovetail.environments.record import Record, is_recorded, read_record
from dovetail.environments.virtual import python_in
from dovetail.errors import EnvironmentFailed
from dovetail.posix import hold

if TYPE_CHECKING:
    from pathlib import Path

__all__ = [
    "BEING_MADE",
    "BROKEN",
    "WHOLE",
    "CachedEnvironment",
    "cached_environments",
    "folders_in",
    "has_python",
    "is_locked",
    "last_use",
    "size_of",
]

WHOLE, BROKEN, BEING_MADE = "whole", "broken", "being made"


@dataclass(frozen=True)
class CachedEnvironment:
    """An environment in the folder of them.

    Args:
        folder: Where it lies.
        record: Where it comes from.
        state: ``whole``; ``broken``, where its interpreter is gone or its making was cut short; ``being made``.
        in_use: Whether a process uses it, or makes it.
        used: When somebody last took it, in milliseconds; None if nobody could so far.
        size: Bytes of its files. Some installers share files between environments: then removing it frees less.
    """

    folder: Path
    record: Record
    state: str
    in_use: bool
    used: int | None
    size: int

    @property
    def name(self) -> str:
        """How people recognise it."""
        return self.folder.name


def cached_environments(place: Path | None = None) -> list[CachedEnvironment]:
    """What lies in the folder of environments, by name; other folders in it are none of ours and left out.

    Args:
        place: The folder; by default as the setting ``env_dir`` says.

    Raises:
        EnvironmentFailed: The folder cannot be read.
    """
    found = [_looked_at(folder) for folder in folders_in(env_place(place)) if not folder.name.startswith(TRASH)]
    return [each for each in found if each]


def folders_in(place: Path) -> list[Path]:
    """The folders of environments, whole or not, and what is left of some that were being removed.

    Raises:
        EnvironmentFailed: The folder cannot be read.
    """
    try:
        entries = sorted(place.iterdir())
    except FileNotFoundError:
        return []
    except OSError as error:
        raise EnvironmentFailed(
            f"The folder {place} of environments cannot be read: {error.strerror}.", hint="Check DOVETAIL_ENV_DIR."
        ) from error
    return [each for each in entries if _is_ours(each)]


def last_use(folder: Path) -> int | None:
    """When somebody last took the environment, in milliseconds; None if it never became whole."""
    try:
        return mark_of(folder).stat().st_mtime_ns // 1_000_000
    except OSError:  # there is no mark
        return None


def size_of(folder: Path) -> int:
    """Bytes of the files in a folder, as long as they are there."""
    total = 0
    for place, _, files in os.walk(folder):
        for name in files:
            with suppress(OSError):  # removed at this moment
                total += os.lstat(os.path.join(place, name)).st_size  # noqa: PTH118 - thousands of files
    return total


def is_locked(path: Path, *, shared: bool = False) -> bool:
    """Whether somebody holds a lock that keeps us from having it; a file that is absent is locked by nobody."""
    try:
        os.close(hold(path, timeout=0, shared=shared, create=False))
    except FileNotFoundError:
        return False
    except TimeoutError:
        return True
    return False


def _is_ours(path: Path) -> bool:
    if path.is_symlink() or not path.is_dir():
        return False
    lock = lock_of(path)
    if lock.exists() and not lock.is_file():  # a pipe, say, which would keep us waiting
        return False
    return path.name.startswith(TRASH) or mark_of(path).is_file() or is_recorded(lock)


def _looked_at(folder: Path) -> CachedEnvironment | None:
    made = is_locked(lock_of(folder), shared=True)
    used = last_use(folder)
    state = BEING_MADE if made else WHOLE if used is not None and has_python(folder) else BROKEN
    in_use = made or is_locked(mark_of(folder))
    found = CachedEnvironment(folder, read_record(lock_of(folder)), state, in_use, used, size_of(folder))
    return found if folder.exists() else None  # it was removed meanwhile


def has_python(folder: Path) -> bool:
    """Whether the environment has an interpreter, and this has what it stands on."""
    return python_in(folder).exists() or (folder / "python.exe").exists()  # the latter is where conda has it
