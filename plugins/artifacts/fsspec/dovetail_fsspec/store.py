"""Artifacts behind any file system that fsspec has a driver for."""

from __future__ import annotations

import io
import os
from contextlib import suppress
from typing import TYPE_CHECKING, Any, BinaryIO

from dovetail import uris
from dovetail.artifacts.store import ArtifactStore
from dovetail.errors import InvalidInput, NotFound, StoreUnavailable
from dovetail.values import FileInfo
from dovetail_fsspec.drivers import connected, driver_of
from dovetail_fsspec.failures import Source, translated
from dovetail_fsspec.reading import reader
from dovetail_fsspec.staging_names import checked_path, is_staging
from dovetail_fsspec.writing import BLOCK, write

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["FsspecArtifactStore"]

_ATTEMPTS = 10


class FsspecArtifactStore(ArtifactStore):
    """Files below one place of a remote file system or object store.

    Nothing is connected before the first use. A process made by ``fork`` connects anew.

    Object stores show an upload when it is complete. On other file systems a file is written under a hidden name in
    its own folder and renamed; what a killed writer leaves there is never shown, and goes with its folder. Where the
    file system keeps empty folders, they are shown. Symbolic links on the other side are that side's business.

    Args:
        uri: The root, such as ``sftp://user@host/folder`` or ``memory://name``.
        options: What the driver takes beside what the URI says.

    Raises:
        PluginMissing: fsspec does not know the scheme, or its driver is not installed.
    """

    def __init__(self, uri: str, **options: Any) -> None:
        driver_of(uri)
        self.uri = uri
        self._options = options
        self._connection: tuple[int, Any, str] | None = None

    def __repr__(self) -> str:
        return f"{type(self).__name__}({uris.masked(self.uri)!r})"

    def list(self, path: str = "") -> Iterator[FileInfo]:
        """The direct children of a folder, ordered by path; nothing for a file or a missing place."""
        path = checked_path(path)
        with translated(f"list {path!r} in {self.uri}", kinds=Exception):
            found = [self._info(path, details) for details in self._listed(path)]
        return iter(sorted((info for info in found if not is_staging(_name(info.path))), key=lambda info: info.path))

    def open(self, path: str) -> BinaryIO:
        """A file to read from; the caller closes it.

        Raises:
            NotFound: There is no such file.
            InvalidInput: It is a folder.
        """
        path = checked_path(path)
        doing = f"read {path!r} in {self.uri}"
        with translated(doing, kinds=Exception):
            for _ in range(_ATTEMPTS):
                if (stream := self._opened(path, doing)) is not None:
                    return stream
        raise StoreUnavailable(
            f"{path!r} in {uris.masked(self.uri)} keeps changing while it is read.", hint="Try again."
        )

    def _opened(self, path: str, doing: str) -> BinaryIO | None:
        details, place = self._details(path), self._place(path)
        if details["type"] == "directory":
            raise InvalidInput(f"{path!r} is a folder.", hint="List it, and open the files in it.")
        size = details.get("size")
        if size is None or size > BLOCK:
            return reader(self._system.open(place, "rb", block_size=BLOCK), doing)
        # In one request, so that of a file which is replaced meanwhile nobody sees a mixture. Another length than was
        # told means that it changed in between; some drivers even give the text of an error for the content then.
        content = self._system.cat_file(place)
        return io.BytesIO(content) if len(content) == size else None

    def put(self, path: str, stream: BinaryIO) -> None:
        """Write a file from a stream, making the folders above it; an existing one is replaced.

        Raises:
            InvalidInput: The path is the root or an existing folder.
            StoreFull: No space, as far as the driver can tell; nothing of the file is left.
            StoreReadOnly: The file system cannot be written, or not by this user.
        """
        path = checked_path(path)
        source = Source(stream)
        with translated(f"write {path!r} in {self.uri}", kinds=Exception, writing=True, source=source):
            self._refuse_folder(path)
            write(self._system, self._place(path), source.blocks())

    def delete(self, path: str) -> None:
        """Remove a file, or a folder with everything in it; ``""`` empties the store.

        Raises:
            NotFound: There is nothing at that path.
            StoreReadOnly: The file system cannot be written, or not by this user.
        """
        path = checked_path(path)
        with translated(f"delete {path!r} in {self.uri}", kinds=Exception, writing=True):
            if path:
                self._remove(self._place(path), self._details(path))
                return
            for details in list(self._listed("")):
                self._remove(self._place(_name(details["name"])), details)

    # --- one file system, spelled its way --------------------------------------------------------------------

    @property
    def _system(self) -> Any:
        return self._connected()[1]

    def _connected(self) -> tuple[int, Any, str]:
        connection = self._connection
        if connection is None or connection[0] != os.getpid():
            connection = self._connection = (os.getpid(), *connected(self.uri, **self._options))
        return connection

    def _place(self, path: str) -> str:
        _, system, root = self._connected()
        if not path:
            return root or str(system.root_marker)
        return f"{root}/{path}" if root else f"{system.root_marker}{path}"

    def _listed(self, path: str) -> Iterator[dict[str, Any]]:
        folder = self._place(path).strip("/")
        try:
            found = self._system.ls(self._place(path), detail=True)
        except (FileNotFoundError, NotADirectoryError):
            return
        for details in found:
            # A driver asked about a file names the file itself, and some name the folder among its children.
            inside = details["name"].strip("/") != folder
            if inside and details["type"] in ("file", "directory"):
                yield details

    def _info(self, folder: str, details: dict[str, Any]) -> FileInfo:
        path = f"{folder}/{_name(details['name'])}".lstrip("/")
        if details["type"] == "directory":
            return FileInfo(path, is_dir=True)
        return FileInfo(path, is_dir=False, file_size=details["size"])

    def _details(self, path: str) -> dict[str, Any]:
        try:
            details: dict[str, Any] = self._system.info(self._place(path))
        except (FileNotFoundError, NotADirectoryError) as error:
            raise self._missing(path) from error
        return details

    def _missing(self, path: str) -> NotFound:
        return NotFound(f"There is no artifact {path!r} in {uris.masked(self.uri)}.", hint="List the folder above it.")

    def _refuse_folder(self, path: str) -> None:
        try:
            is_folder = not path or self._details(path)["type"] == "directory"
        except NotFound:
            return
        if is_folder:
            raise InvalidInput(f"{path!r} is a folder.", hint="Give the file another name, or delete the folder first.")

    def _remove(self, place: str, details: dict[str, Any]) -> None:
        system = self._system
        if details["type"] != "directory":
            system.rm_file(place)
        elif not any(letter in place for letter in "*?["):
            system.rm(place, recursive=True)
        else:
            # Drivers read such names as patterns, which would remove more than was asked for.
            self._remove_one_by_one(place)

    def _remove_one_by_one(self, place: str) -> None:
        found = self._system.find(place, withdirs=True, detail=True)
        for name, details in sorted(found.items(), key=lambda item: item[0], reverse=True):
            with suppress(FileNotFoundError):  # a folder that went with the last file in it
                self._remove_folder(name) if details["type"] == "directory" else self._system.rm_file(name)

    def _remove_folder(self, place: str) -> None:
        from fsspec import AbstractFileSystem

        # Where a driver has no rmdir of its own, removing a file is removing whatever has the name.
        own = type(self._system).rmdir is not AbstractFileSystem.rmdir
        self._system.rmdir(place) if own else self._system.rm_file(place)


def _name(place: str) -> str:
    return place.rstrip("/").rpartition("/")[2]
