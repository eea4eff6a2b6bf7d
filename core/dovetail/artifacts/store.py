"""The seam that artifact stores fit into."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from dovetail.values import FileInfo

__all__ = ["ArtifactStore"]


class ArtifactStore(ABC):
    """Files below one root, named by relative POSIX paths.

    A complete store is four methods::

        class NotesStore(ArtifactStore):
            def list(self, path=""): ...
            def open(self, path): ...
            def put(self, path, stream): ...
            def delete(self, path): ...

    Guarantees every store gives, and ``dovetail.testing.ArtifactStoreSuite`` checks:

    * **Paths** arrive through ``dovetail.uris.artifact_path``; a store applies it itself as well, so that nothing it is
      given reaches outside its root, symbolic links included.
    * **Whole files.** A reader sees the former content or the new one, never a part, also when the writer is killed or
      the disk is full; what is left of a failed ``put`` is removed or invisible.
    * **Streams.** Neither ``put`` nor ``open`` needs memory for the whole file.
    * **Concurrency.** Any number of threads and processes may use one root at once; the last ``put`` of a path wins.
    * **Errors** are ``dovetail.errors`` only: ``NotFound`` for a missing file, ``InvalidInput`` for opening a folder,
      ``StoreError`` and its kinds for the store's own trouble (full, read-only, unreachable).

    Attributes:
        uri: The root.
    """

    uri: str

    @abstractmethod
    def list(self, path: str = "") -> Iterator[FileInfo]:
        """The direct children of a folder, ordered by path; nothing for a file or a missing place.

        Paths in the answer are relative to the root. Folders exist by having something in them.
        """

    @abstractmethod
    def open(self, path: str) -> BinaryIO:
        """A file to read from; the caller closes it.

        Raises:
            NotFound: There is no such file.
            InvalidInput: It is a folder.
        """

    @abstractmethod
    def put(self, path: str, stream: BinaryIO) -> None:
        """Write a file from a stream, making the folders above it; an existing one is replaced.

        Raises:
            InvalidInput: The path is the root or an existing folder.
            StoreFull: No space; nothing of the file is left.
        """

    @abstractmethod
    def delete(self, path: str) -> None:
        """Remove a file, or a folder with everything in it; ``""`` empties the store.

        Raises:
            NotFound: There is nothing at that path.
        """

    # --- capabilities a store may have -----------------------------------------------------------------------

    def local_path(self, path: str) -> Path | None:
        """The local file or folder behind a path, for stores on this machine; None where a download is needed."""
        del path
        return None
