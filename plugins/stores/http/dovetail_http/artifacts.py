"""Artifacts that a server of dovetail's or MLflow's passes on."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, BinaryIO
from urllib.parse import quote

from dovetail import uris
from dovetail.artifacts.store import ArtifactStore
from dovetail.errors import InvalidInput, NotFound, StoreUnavailable
from dovetail.wire.files import load_file
from dovetail_http.artifact_places import PROXY, place_of
from dovetail_http.downloading import opened
from dovetail_http.uploading import PART, filled, put_in_parts, put_stream, put_whole

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dovetail.values import FileInfo

__all__ = ["MlflowArtifacts"]


class MlflowArtifacts(ArtifactStore):
    """Files that are reached through a server.

    Both dovetail's servers and MLflow's answer to what is asked here. What is whole on the server and what is not, and
    which names there may be, is up to the store behind it; those of dovetail's keep to the interface. Large files go
    to them in parts, which are sent again where a connection breaks; MLflow's get them in one request. A large file
    that is replaced while it is read cannot be read to its end.

    Args:
        uri: ``mlflow-artifacts:/<path>`` at the server that is the tracking URI in force, or
            ``mlflow-artifacts://<host>/<path>`` at another one.

    Raises:
        InvalidUri: No server is named and tracking is elsewhere, or the path leads out of the artifacts.
    """

    def __init__(self, uri: str) -> None:
        self.uri = uri
        self._remote, self._root = place_of(uri)
        self._transport = self._remote.transport

    def __repr__(self) -> str:
        return f"{type(self).__name__}({uris.masked(self.uri)!r})"

    def list(self, path: str = "") -> Iterator[FileInfo]:
        """The direct children of a folder, ordered by path; nothing for a file or a missing place."""
        path = uris.artifact_path(path)
        found = [load_file(each) for each in self._listed(path)]
        prefix = f"{path}/" if path else ""
        return iter(sorted((replace(each, path=prefix + each.path) for each in found), key=lambda info: info.path))

    def _listed(self, path: str) -> Any:
        answer = self._transport.get(PROXY, {"path": self._below(path)})
        if not isinstance(answer, dict):  # an answer that was cut off is empty, which does not mean an empty folder
            raise StoreUnavailable(f"{uris.masked(self.uri)} could not be listed.", hint="Try it again.")
        return answer.get("files", ())

    def open(self, path: str) -> BinaryIO:
        """A file to read from; the caller closes it.

        Raises:
            NotFound: There is no such file.
            InvalidInput: It is a folder.
            StoreUnavailable: The server cannot be reached; reading raises that, too, where a connection is lost for
                good, or the file is replaced after one was lost.
        """
        return opened(self._transport, self._url(_file(path)))

    def put(self, path: str, stream: BinaryIO) -> None:
        """Write a file from a stream, making the folders above it; an existing one is replaced.

        Raises:
            InvalidInput: The path is the root or an existing folder.
            StoreFull: No space; nothing of the file is left.
        """
        path = _file(path)
        first = filled(stream, PART)
        if len(first) < PART:
            put_whole(self._transport, self._url(path), first)
        elif self._remote.takes_parts:
            put_in_parts(self._transport, self._below(path), first, stream)
        else:
            put_stream(self._transport, self._url(path), first, stream)

    def delete(self, path: str) -> None:
        """Remove a file, or a folder with everything in it; ``""`` empties the store.

        Raises:
            NotFound: There is nothing at that path.
        """
        path = uris.artifact_path(path)
        if not path:
            for child in self.list():
                self._transport.delete(self._url(child.path), again=True)
            return
        # Servers say nothing about what was not there.
        if all(child.path != path for child in self.list(path.rpartition("/")[0])):
            raise NotFound(
                f"There is no artifact {path!r} in {uris.masked(self.uri)}.", hint="List the folder above it."
            )
        self._transport.delete(self._url(path), again=True)

    def _below(self, path: str) -> str:
        """A path at the server."""
        return f"{self._root}/{path}".strip("/") if self._root else path

    def _url(self, path: str) -> str:
        return f"{PROXY}/{quote(self._below(path))}"


def _file(path: str) -> str:
    found = uris.artifact_path(path)
    if not found:
        raise InvalidInput("The root of the artifacts is a folder.", hint="Name a file in it.")
    return found
