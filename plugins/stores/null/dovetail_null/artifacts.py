"""Artifacts that go nowhere."""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO

from dovetail import uris
from dovetail.artifacts.store import ArtifactStore
from dovetail.errors import InvalidInput, NotFound

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dovetail.values import FileInfo

__all__ = ["NullArtifactStore"]


class NullArtifactStore(ArtifactStore):
    """Takes any file and has none.

    Args:
        uri: What the store calls itself, ``null:/…``.
    """

    def __init__(self, uri: str) -> None:
        self.uri = uri

    def list(self, path: str = "") -> Iterator[FileInfo]:
        """Nothing."""
        uris.artifact_path(path)
        return iter(())

    def open(self, path: str) -> BinaryIO:
        """Refuse: there is no such file.

        Raises:
            NotFound: Always, but for the root.
            InvalidInput: It is the root.
        """
        raise NotFound(
            f"There is no artifact {_file(path)!r}: artifacts of runs tracked at null: are not kept.",
            hint="Track somewhere else to read back what is logged.",
        )

    def put(self, path: str, stream: BinaryIO) -> None:
        """Take a file and drop it; the stream is not read.

        Raises:
            InvalidInput: The path is the root.
        """
        del stream
        _file(path)

    def delete(self, path: str) -> None:
        """Do nothing: whatever was put there is gone already."""
        uris.artifact_path(path)


def _file(path: str) -> str:
    name = uris.artifact_path(path)
    if not name:
        raise InvalidInput("The root of the artifacts is a folder.", hint="Name a file in it.")
    return name
