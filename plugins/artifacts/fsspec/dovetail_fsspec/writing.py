"""Putting a whole file onto a file system, or nothing of it.

Drivers differ in when a file that is written becomes visible; each of the three ways here fits some of them.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any, cast

from dovetail.errors import StoreUnavailable
from dovetail_fsspec.staging_names import staging_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

__all__ = ["BLOCK", "protocols_of", "write"]

# What is held in memory for a file. Object stores take ten thousand blocks a file: 80 GiB.
BLOCK = 8 << 20
# Uploads to these appear when they are complete, in place of the former content.
_COMPLETE_ON_CLOSE = {"s3", "s3a", "gs", "gcs"}
_ATTEMPTS = 100
_HICCUPS = 5


def protocols_of(system: Any) -> set[str]:
    """The schemes that a driver answers to."""
    return {system.protocol} if isinstance(system.protocol, str) else set(system.protocol)


def write(system: Any, place: str, blocks: Iterable[bytes]) -> None:
    """Write a file in the way that lets nobody see a part of it.

    Args:
        system: The driver's file system.
        place: The file, as the driver spells it.
        blocks: Its content.
    """
    if "memory" in protocols_of(system):
        system.pipe_file(place, b"".join(blocks))  # memory is where it goes anyway
    elif protocols_of(system) & _COMPLETE_ON_CLOSE:
        _upload(system, place, blocks)
    else:
        _stage(system, place, blocks)


def _upload(system: Any, place: str, blocks: Iterable[bytes]) -> None:
    file = system.open(place, "wb", block_size=BLOCK)
    try:
        for block in blocks:
            file.write(block)
        file.close()
    except BaseException:
        _abandon(file)
        raise


def _abandon(file: Any) -> None:
    # Marked as closed first: a driver's file that is merely dropped would complete the upload with what it has.
    file.closed = True
    with suppress(Exception):  # the first failure is the one to tell; parts that stay are never visible
        file.discard()


def _stage(system: Any, place: str, blocks: Iterable[bytes]) -> None:
    above, _, _ = place.rpartition("/")
    staging = f"{above}/{staging_name()}"
    system.makedirs(above or system.root_marker, exist_ok=True)
    try:
        with system.open(staging, "wb", block_size=BLOCK) as file:
            for block in blocks:
                file.write(block)
        _publish(system, staging, place)
    except BaseException:
        with suppress(Exception):  # the first failure is the one to tell; what stays has a name that is never shown
            system.rm_file(staging)
        raise


def _publish(system: Any, staging: str, place: str) -> None:
    """Rename; where renaming does not replace, a reader may find nothing for a moment, but never a part."""
    rename = _rename_of(system)
    if rename is None:
        system.cp_file(staging, place)
        system.rm_file(staging)
        return
    hiccups = 0
    for _ in range(_ATTEMPTS):
        try:
            with suppress(FileExistsError):
                rename(staging, place)
            if not system.exists(staging):
                return
            # Another writer may be doing the same: whoever comes last wins.
            with suppress(FileNotFoundError):
                system.rm_file(place)
        except OSError:  # noqa: PERF203 - a network call costs more than any try
            # Servers drop a connection where two writers meet; what was done before it shows in the next attempt.
            hiccups += 1
            if hiccups > _HICCUPS:
                raise
    raise StoreUnavailable(f"{place} is being replaced by many writers at once.", hint="Try again.")


def _rename_of(system: Any) -> Callable[[str, str], object] | None:
    """The driver's own way to rename; fsspec's stand-in copies, and reads names as patterns."""
    from fsspec import AbstractFileSystem

    if type(system).mv is not AbstractFileSystem.mv:
        return cast("Callable[[str, str], object]", system.mv)
    return getattr(system, "mv_file", None)  # what drivers of 2024 call it
