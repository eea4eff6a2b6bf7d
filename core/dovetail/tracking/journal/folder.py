"""Where journals lie, and which of them nobody writes any more."""

from __future__ import annotations

import errno
import os
import stat
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, BinaryIO

from dovetail import posix
from dovetail.tracking.journal.writer import SUFFIX, UNBORN, open_here

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["claimed", "drop_empty", "has_others", "orphans"]

_BIRTH = 3600.0  # seconds
_TICK = 2_500_000_000
"""Nanoseconds behind which another change of a folder is sure to have another time."""
_quiet: dict[Path, tuple[int, frozenset[str]]] = {}
"""Folders that had nobody else's journals, each with when something was last made there or removed, and our own."""


def orphans(folder: Path) -> list[Path]:
    """The journals of a folder that may have lost their process, oldest first; most folders have none.

    Whether one has shows when it is ``claimed``.
    """
    names = _journals(folder)
    # It is done whenever a store is opened; a link would lead to journals of another store.
    paths = [folder / name for name in names] if names and not folder.is_symlink() else []
    return [path for path in paths if _is_file(path) and (path.suffix == SUFFIX or _old(path))]


def has_others(folder: Path) -> bool:
    """Whether a folder has journals that this process does not write; quick, since it is asked at each end of a run."""
    own = frozenset(open_here())
    try:
        changed = os.stat(folder).st_mtime_ns  # noqa: PTH116
    except OSError:
        return False
    if _quiet.get(folder) == (changed, own):
        return False
    others = any(name not in own for name in _journals(folder))
    if not others and time.time_ns() - changed > _TICK:
        _quiet[folder] = changed, own
    return others


def _journals(folder: Path) -> list[str]:
    try:
        names = os.listdir(folder)  # noqa: PTH208
    except (FileNotFoundError, NotADirectoryError, PermissionError):  # the last one: it is another user's
        return []
    return sorted(name for name in names if name.endswith((SUFFIX, UNBORN)))


def _is_file(path: Path) -> bool:
    """Whether it is neither a link nor a pipe, which whoever opens it would wait for."""
    with suppress(OSError):
        return stat.S_ISREG(path.lstat().st_mode)
    return False


def _old(path: Path) -> bool:
    """Whether a journal without a header was left behind at its birth, which takes a moment."""
    with suppress(FileNotFoundError):
        return time.time() - path.stat().st_mtime > _BIRTH
    return False


@contextmanager
def claimed(path: Path) -> Iterator[BinaryIO | None]:
    """Hold a journal that nobody writes any more; None if its process lives, or somebody else has it or had it.

    Yields:
        The file, opened for reading.
    """
    lease = _lease(path)
    if lease is None:
        yield None
        return
    try:
        with path.open("rb") as file:
            yield file
    finally:
        os.close(lease)


def _lease(path: Path) -> int | None:
    try:
        return posix.hold(path, timeout=0, create=False)
    except (TimeoutError, FileNotFoundError):
        return None
    except OSError as error:
        if error.errno not in (errno.EACCES, errno.EPERM, errno.EROFS):
            raise
        return None  # another user's


def drop_empty(folder: Path) -> None:
    """Remove a folder of journals that has none left."""
    with suppress(OSError):  # there is something in it, or somebody else was faster
        folder.rmdir()
