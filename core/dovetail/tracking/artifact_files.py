"""Putting files among the artifacts of something, and listing them."""

from __future__ import annotations

import posixpath
from pathlib import Path
from typing import TYPE_CHECKING

from dovetail import locations, uris
from dovetail.artifacts import transfer
from dovetail.documents import shown
from dovetail.errors import InvalidInput, NotFound

if TYPE_CHECKING:
    import os

    from dovetail.tracking.store import TrackingStore
    from dovetail.values import FileInfo

__all__ = ["ArtifactFiles", "existing"]


class ArtifactFiles:
    """The files below an artifact location.

    Args:
        uri: The location.
        store: The tracking store that says it.
    """

    def __init__(self, uri: str, store: TrackingStore | None = None) -> None:
        self.uri = uri
        self.store = locations.artifact_store(uri, store)

    def log_artifact(self, local_path: str | os.PathLike[str], artifact_path: str | None = None) -> None:
        """Upload a file, or a folder under its own name."""
        local = existing(local_path)
        target = posixpath.join(uris.artifact_path(artifact_path), uris.artifact_path(local.name))
        transfer.upload(self.store, local, target)

    def log_artifacts(self, local_dir: str | os.PathLike[str], artifact_path: str | None = None) -> None:
        """Upload what is in a folder."""
        local = existing(local_dir)
        if not local.is_dir():
            raise InvalidInput(f"{local} is a file.", hint="Use log_artifact for a single file.")
        transfer.upload(self.store, local, uris.artifact_path(artifact_path))

    def list(self, path: str | None = None) -> list[FileInfo]:
        """The entries of one folder."""
        return list(self.store.list(uris.artifact_path(path)))


def existing(local_path: str | os.PathLike[str]) -> Path:
    """The path of a file or folder on this machine.

    Raises:
        InvalidInput: It is no path.
        NotFound: There is nothing.
    """
    try:
        local = Path(local_path)
        missing = not local.exists()
    except (TypeError, ValueError, OSError) as error:  # no path, a NUL or half a character in it, too long
        raise InvalidInput(f"{shown(local_path)} is no path on this machine: {error}.") from error
    if missing:
        raise NotFound(f"There is no file or folder {local}.", hint="Give the path of something on this machine.")
    return local if local.name not in ("", "..") else local.resolve()
