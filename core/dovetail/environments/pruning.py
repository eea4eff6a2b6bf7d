"""Removing environments that nobody uses any more, and what is left of those that nobody finished.

What somebody uses, makes or prepares is never touched: whoever does holds a lock, which is taken before anything is
removed and held until the folder has another name.
"""

from __future__ import annotations

import sys
import time
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from dovetail.environments import wheelhouse
from dovetail.environments.cache import TRASH, discard, env_place, lock_of, mark_of, put_aside, remove_tree
from dovetail.environments.inventory import cached_environments, folders_in, has_python, last_use, size_of
from dovetail.environments.record import is_recorded
from dovetail.posix import locked

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

__all__ = ["Pruned", "prune"]

# A wheel is packed before the environment that gets it is begun; nobody waits a day in between.
_YOUNGEST_WHEEL = 86400.0


@dataclass(frozen=True)
class Pruned:
    """Something that is removed.

    Args:
        name: An environment's name, or what else it is.
        reason: Why.
        size: Bytes of its files.
        failure: Why it could not be removed after all.
    """

    name: str
    reason: str
    size: int
    failure: str | None = None


def prune(unused_for: float, place: Path | None = None, *, dry_run: bool = False) -> list[Pruned]:
    """Remove environments, and what else lies about for want of somebody who needs it.

    Removed are environments that nobody took for so long; those that are broken; those whose making was cut short;
    what is left of removals that were cut short; wheels of dovetail that were not packed for so long, a day at least.

    Args:
        unused_for: Seconds.
        place: The folder of environments; by default as the setting ``env_dir`` says.
        dry_run: Only answer what would be removed.

    Returns:
        What was removed, or could not be.

    Raises:
        EnvironmentFailed: The folder cannot be read.
    """
    since = time.time() - unused_for
    folder = env_place(place)
    found = [*_environments(folder, since, dry_run=dry_run), *_trash(folder, dry_run=dry_run)]
    if not dry_run:
        _remove_locks(folder)
    return [*found, *_wheels(min(since, time.time() - _YOUNGEST_WHEEL), dry_run=dry_run)]


def _environments(folder: Path, since: float, *, dry_run: bool) -> Iterator[Pruned]:
    for each in cached_environments(folder):
        reason = None if each.in_use else reason_to_remove(each.folder, since)
        if reason is None:
            continue
        found = Pruned(each.name, reason, each.size)
        outcome = found if dry_run else _attempted(found, lambda: _removed(each.folder, since))  # noqa: B023 - at once
        yield from filter(None, [outcome])


def reason_to_remove(folder: Path, since: float) -> str | None:
    """Why an environment that nobody makes or uses is removed; None if it stays."""
    used = last_use(folder)
    if used is None:
        return "its making was cut short" if folder.exists() else None
    if not has_python(folder):
        return "its interpreter is gone"
    return "unused" if used <= since * 1000 else None


def _attempted(pruned: Pruned, remove: Callable[[], bool]) -> Pruned | None:
    """What became of it; None if the removal found that somebody needs it after all."""
    try:
        return pruned if remove() else None
    except OSError as error:
        return replace(pruned, failure=error.strerror or str(error))


def _removed(folder: Path, since: float) -> bool:
    """Remove an environment unless somebody makes, uses or took it meanwhile."""
    trash = None
    with suppress(TimeoutError), locked(lock_of(folder), timeout=0):  # else somebody makes or uses it
        trash = _put_aside(folder, since)
        if not folder.exists():  # ours is a new lock file if somebody else was quicker with both
            lock_of(folder).unlink()
    if trash:
        remove_tree(trash)
    return trash is not None


def _put_aside(folder: Path, since: float) -> Path | None:
    """Give the environment another name, unless it is in use or has lost the reason to go; its lock is held."""
    with ExitStack() as stack:
        if mark_of(folder).exists():
            stack.enter_context(locked(mark_of(folder), timeout=0, create=False))
        if reason_to_remove(folder, since) is None:
            return None
        if sys.platform == "win32":
            stack.close()  # Windows renames no folder with open files in it, so that what is in use stays anyway
        return put_aside(folder)


def _trash(folder: Path, *, dry_run: bool) -> Iterator[Pruned]:
    for each in folders_in(folder):
        if each.name.startswith(TRASH):
            found = Pruned(each.name, "left by a removal that was cut short", size_of(each))
            outcome = found if dry_run else _attempted(found, lambda: _discarded([each]))  # noqa: B023 - at once
            yield from filter(None, [outcome])


def _remove_locks(folder: Path) -> None:
    """Remove the lock files of environments that are not there any more."""
    for lock in folder.glob("*.lock"):
        if is_recorded(lock) and not lock.with_suffix("").exists():
            with suppress(TimeoutError), locked(lock, timeout=0):  # else somebody makes it
                if not lock.with_suffix("").exists():
                    lock.unlink()


def _wheels(since: float, *, dry_run: bool) -> list[Pruned]:
    with wheelhouse.wheels_not_packed_since(since) as found:
        each = [(folder, Pruned(f"packed wheel {folder.name}", "unused", size_of(folder))) for folder in found]
        tried = each if dry_run else [(path, _attempted(one, lambda: _discarded([path]))) for path, one in each]  # noqa: B023 - at once
        outcomes = [one for _, one in tried if one]
    gone, kept = ([one for one in outcomes if bool(one.failure) is failed] for failed in (False, True))
    total = Pruned(f"packed wheels of dovetail ({len(gone)})", "unused", sum(one.size for one in gone))
    return [total, *kept] if gone else kept


def _discarded(folders: list[Path]) -> bool:
    for each in folders:
        discard(each)
    return True
