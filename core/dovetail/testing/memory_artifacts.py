"""An artifact store in memory: the reference for what stores do, and what unit tests use."""

from __future__ import annotations

import io
import threading
from typing import TYPE_CHECKING, BinaryIO

from dovetail import uris
from dovetail.artifacts.store import ArtifactStore
from dovetail.errors import InvalidInput, NotFound
from dovetail.values import FileInfo

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["MemoryArtifactStore"]


class MemoryArtifactStore(ArtifactStore):
    """Files in a dict; they go with the object.

    Args:
        uri: What the store calls itself.
    """

    def __init__(self, uri: str = "memory-artifacts:") -> None:
        self.uri = uri
        self.files: dict[str, bytes] = {}
        self._lock = threading.Lock()

    def open(self, path: str) -> BinaryIO:
        """A file to read from.

        Raises:
            NotFound: There is no such file.
            InvalidInput: It is a folder.
        """
        path = uris.artifact_path(path)
        with self._lock:
            if path in self.files:
                return io.BytesIO(self.files[path])
            if not path or self._below(path):
                raise InvalidInput(f"{path!r} is a folder.", hint="List it, and open the files in it.")
        raise NotFound(f"There is no artifact {path!r}.")

    def put(self, path: str, stream: BinaryIO) -> None:
        """Write a file from a stream; an existing one is replaced.

        Raises:
            InvalidInput: The path is the root or an existing folder, or lies below a file.
        """
        path = uris.artifact_path(path)
        content = b"".join(iter(lambda: stream.read(1 << 20), b""))
        with self._lock:
            if not path or self._below(path):
                raise InvalidInput(f"{path!r} is a folder.", hint="Give the file another name.")
            if file := next((name for name in self.files if path.startswith(f"{name}/")), None):
                raise InvalidInput(f"{file!r} is a file.", hint="Give the folder another name.")
            self.files[path] = content

    def delete(self, path: str) -> None:
        """Remove a file, or a folder with everything in it; ``""`` empties the store.

        Raises:
            NotFound: There is nothing at that path.
        """
        path = uris.artifact_path(path)
        with self._lock:
            gone = {path} if path in self.files else self._below(path)
            if path and not gone:
                raise NotFound(f"There is no artifact {path!r}.")
            for name in gone:
                del self.files[name]

    def list(self, path: str = "") -> Iterator[FileInfo]:
        """The direct children of a folder, ordered by path; nothing for a file or a missing place."""
        prefix = _prefix(path)
        with self._lock:
            sizes = {name[len(prefix) :]: len(data) for name, data in self.files.items() if name.startswith(prefix)}
        folders = {name.partition("/")[0] for name in sizes if "/" in name}
        found = [FileInfo(prefix + name, is_dir=True) for name in folders]
        found += [FileInfo(prefix + name, is_dir=False, file_size=sizes[name]) for name in sizes if "/" not in name]
        return iter(sorted(found, key=lambda info: info.path))

    def _below(self, path: str) -> set[str]:
        prefix = _prefix(path)
        return {name for name in self.files if name.startswith(prefix)}


def _prefix(path: str) -> str:
    path = uris.artifact_path(path)
    return f"{path}/" if path else ""
