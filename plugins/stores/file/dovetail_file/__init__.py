"""Experiments, runs and metrics in a folder of append-only files: no locks, and safe to copy at any time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dovetail import hookimpl

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from dovetail.tracking.store import TrackingStore
    from dovetail_file.store import FileTrackingStore

__all__ = ["open_dir"]


def open_dir(uri: str) -> FileTrackingStore:
    """The tracking store in a folder, which is made if it is not there.

    Args:
        uri: ``dir:///absolute/folder``, or ``dir:folder`` below the working folder.

    Raises:
        InvalidUri: It has another form.
        ForeignLayout: The folder holds something else; it is left as it is.
        SchemaTooNew: A newer release keeps its runs there.
        StoreError: The folder cannot be made or read.
    """
    from dovetail_file.location import location
    from dovetail_file.store import FileTrackingStore

    return FileTrackingStore(location(uri))


@hookimpl
def dovetail_tracking_stores() -> Mapping[str, Callable[[str], TrackingStore]]:
    """The scheme ``dir``: ``file`` is how people write where a database lies."""
    return {"dir": open_dir}
