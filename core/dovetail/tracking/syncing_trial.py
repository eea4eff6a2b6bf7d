"""Where a dry run looks at: a destination that is not there yet must not be made by looking."""

from __future__ import annotations

from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from dovetail import uris
from dovetail.tracking import modes, places

if TYPE_CHECKING:
    from contextlib import ExitStack

__all__ = ["place_for"]


def place_for(destination: str, closing: ExitStack, *, dry_run: bool) -> str:
    """The destination, or for a dry run towards a file or folder that is not there an empty store of its kind.

    Args:
        destination: The absolute URI.
        closing: Removes that store again; open it on the same stack.
        dry_run: Whether nothing is to be written.
    """
    if not dry_run or modes.is_there(destination):
        return destination
    folder = closing.enter_context(TemporaryDirectory(prefix="dovetail-", ignore_cleanup_errors=True))
    return places.resolved(f"dir:{folder}" if uris.scheme_of(destination) == "dir" else f"sqlite:///{folder}/empty.db")
