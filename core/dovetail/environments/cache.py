"""The folder of prepared environments: each is made once, whole or not at all, however many processes ask for it."""

from __future__ import annotations

import os
import shutil
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from dovetail.errors import EnvironmentFailed
from dovetail.posix import locked, private_folder
from dovetail.settings import get as setting

if TYPE_CHECKING:
    from collections.abc import Callable

    from dovetail.environments.manager import Progress

__all__ = ["cache_folder", "env_folder", "make_once"]

_READY = "dovetail-ready"


def cache_folder() -> Path:
    """Where dovetail keeps what it can make again: below ``XDG_CACHE_HOME`` or the system's folder for caches."""
    if base := os.environ.get("XDG_CACHE_HOME"):
        return Path(base) / "dovetail"
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local") / "dovetail" / "cache"
    return Path.home() / ".cache" / "dovetail"


def env_folder(folder: Path | None = None) -> Path:
    """Where prepared environments lie, made where absent.

    Args:
        folder: Where the caller wants it; by default the setting ``env_dir``, then ``envs`` in the cache folder.

    Raises:
        EnvironmentFailed: It cannot be made.
    """
    chosen = folder or setting("env_dir") or cache_folder() / "envs"
    place = Path(chosen).expanduser().absolute()
    try:
        return private_folder(place)
    except OSError as error:
        raise _no_room(place, error) from error


def make_once(folder: Path, make: Callable[[int], None], progress: Progress, *, whole: Callable[[], bool]) -> None:
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

    Raises:
        EnvironmentFailed: The folder cannot be written.
    """
    mark = folder / _READY
    if mark.exists() and whole():
        return
    try:
        _make_once(folder, mark, make, progress, whole)
    except OSError as error:
        raise _no_room(folder, error) from error


def _make_once(
    folder: Path, mark: Path, make: Callable[[int], None], progress: Progress, whole: Callable[[], bool]
) -> None:
    with ExitStack() as stack:
        lock = folder.with_name(f"{folder.name}.lock")
        try:
            descriptor = stack.enter_context(locked(lock, timeout=0))
        except TimeoutError:
            progress(f"waiting for another process that prepares {folder.name}")
            descriptor = stack.enter_context(locked(lock))
        if not (mark.exists() and whole()):
            _make(folder, mark, make, descriptor)


def _make(folder: Path, mark: Path, make: Callable[[int], None], descriptor: int) -> None:
    _remove(folder, mark)
    try:
        make(descriptor)
    except BaseException:
        _remove(folder, mark)
        raise
    mark.touch()


def _remove(folder: Path, mark: Path) -> None:
    mark.unlink(missing_ok=True)  # first, so that a removal that is cut short leaves nothing that looks ready
    if folder.exists():
        shutil.rmtree(folder)


def _no_room(folder: Path, error: OSError) -> EnvironmentFailed:
    return EnvironmentFailed(
        f"The folder {folder} of environments cannot be made: {error.strerror or error}.",
        hint="Make room, or have environments made elsewhere: DOVETAIL_ENV_DIR.",
    )
