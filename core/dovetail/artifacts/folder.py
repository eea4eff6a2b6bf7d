"""One folder of an artifact store, as a store of its own."""

from __future__ import annotations

import os
import posixpath
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from dovetail import uris
from dovetail.artifacts import transfer
from dovetail.artifacts.store import ArtifactStore
from dovetail.documents import shown
from dovetail.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dovetail.values import FileInfo

__all__ = ["ArtifactFolder", "fetched"]


def fetched(store: ArtifactStore, path: str, destination: str | os.PathLike[str] | None) -> Path:
    """Bring an artifact to this machine under its own name, without the folders above it; see ``transfer.download``.

    Raises:
        InvalidInput: The destination is no path, beside what ``transfer.download`` raises.
    """
    above, name = posixpath.split(uris.artifact_path(path))
    where = None if destination is None else _local(destination)
    return transfer.download(ArtifactFolder(store, above), name, where)


def _local(destination: str | os.PathLike[str]) -> Path:
    try:
        path = Path(destination).absolute()
        if b"\0" not in os.fsencode(path):
            return path
        reason = "it holds a NUL"
    except (TypeError, ValueError, OSError) as error:  # no path, half a character in it, a working folder that is gone
        reason = str(error)
    raise InvalidInput(f"{shown(destination)} is no folder to fetch into: {reason}.")


class ArtifactFolder(ArtifactStore):
    """The files below one folder, named relative to it.

    The store is still asked by its own paths, so that what it refuses, such as links out of its root, stays refused:
    a store opened at the folder's URI would not know about the root above.

    Args:
        store: The store.
        folder: The artifact path of the folder; ``""`` is all of the store.
    """

    def __init__(self, store: ArtifactStore, folder: str) -> None:
        self._store = store
        self._folder = uris.artifact_path(folder)
        self.uri = uris.join(store.uri, self._folder)

    def list(self, path: str = "") -> Iterator[FileInfo]:
        """The direct children of a folder; what the store lists elsewhere by mistake keeps its strange path."""
        prefix = f"{self._folder}/" if self._folder else ""
        for info in self._store.list(self._in_store(path)):
            yield replace(info, path=info.path.removeprefix(prefix))

    def open(self, path: str) -> BinaryIO:
        """A file to read from. Raises as the store does."""
        return self._store.open(self._in_store(path))

    def put(self, path: str, stream: BinaryIO) -> None:
        """Write a file from a stream. Raises as the store does."""
        self._store.put(self._in_store(path), stream)

    def delete(self, path: str) -> None:
        """Remove a file or folder. Raises as the store does."""
        self._store.delete(self._in_store(path))

    def local_path(self, path: str) -> Path | None:
        """The local file or folder behind a path, where the store has it on this machine."""
        return self._store.local_path(self._in_store(path))

    def _in_store(self, path: str) -> str:
        return uris.artifact_path(f"{self._folder}/{uris.artifact_path(path)}".strip("/"))
