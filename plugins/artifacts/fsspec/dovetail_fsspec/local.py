"""Artifacts on this machine's disk."""

from __future__ import annotations

import errno
import os
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from dovetail import settings, uris
from dovetail.artifacts.store import ArtifactStore
from dovetail.errors import InvalidInput, InvalidUri, NotFound
from dovetail.values import FileInfo
from dovetail_fsspec.failures import Source, translated
from dovetail_fsspec.folder import Entry, Folder, resolved
from dovetail_fsspec.staging_names import checked_path, is_staging, staging_name

if TYPE_CHECKING:
    import builtins
    from collections.abc import Iterator

__all__ = ["LocalArtifactStore"]

# A writer that has not written for a day is dead.
_LEFT_BEHIND = 24 * 60 * 60
_ATTEMPTS = 100


class LocalArtifactStore(ArtifactStore):
    """Files below one folder of this machine, or of a disk that several machines share.

    A file is written under a hidden name in its own folder and then renamed, so that every reader sees a whole file,
    and a file that was opened before it was replaced can be read to its end. With the setting ``durability`` at
    ``power`` it is brought safely to disk before. What a killed writer leaves is never shown and is removed by a later
    ``put`` into the same folder, a day after.

    Symbolic links are followed as long as they stay below the root; others are not shown and cannot be opened. A link
    to a folder is shown only where no other such link led, so that links in a circle do not make an endless tree.

    Args:
        uri: A path or ``file:`` URI. The folder is made by the first ``put``.

    Raises:
        InvalidUri: It is not the place of a local folder.
    """

    def __init__(self, uri: str) -> None:
        self.root = uris.path_of(uri)
        self.uri = uris.uri_of(self.root)
        self._swept: set[Path] = set()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.uri!r})"

    # --- reading ---------------------------------------------------------------------------------------------

    def list(self, path: str = "") -> Iterator[FileInfo]:
        """The direct children of a folder, ordered by path; nothing for a file or a missing place."""
        path = checked_path(path)
        with translated(f"list {path!r} in {self.uri}"):
            return iter(sorted(self._children(path), key=lambda info: info.path))

    def _children(self, path: str) -> Iterator[FileInfo]:
        names = self._names(path)
        try:
            folder = Folder.at(self._real_root, names)
        except (FileNotFoundError, NotADirectoryError):
            return
        linked = "/".join(names) != path
        with folder:
            for entry in folder.entries():
                if info := self._info(f"{path}/{entry.name}".lstrip("/"), entry, folder, linked=linked):
                    yield info

    def _info(self, path: str, entry: Entry, folder: Folder, *, linked: bool) -> FileInfo | None:
        if is_staging(entry.name):
            return None
        if entry.is_link:
            return self._linked_info(path, follow_folders=not linked)
        if entry.is_folder:
            return FileInfo(path, is_dir=True) if _holds_something(folder.path / entry.name) else None
        return FileInfo(path, is_dir=False, file_size=entry.size) if entry.is_file else None

    def _linked_info(self, path: str, *, follow_folders: bool) -> FileInfo | None:
        try:
            entry = self._entry(self._names(path))
        except (InvalidUri, OSError) as error:  # it leads outside, in a circle, or nowhere
            if isinstance(error, OSError) and error.errno in (errno.EMFILE, errno.ENFILE):  # nobody can tell now
                raise
            return None
        if entry is None or is_staging(entry.name) or not (entry.is_file or (entry.is_folder and follow_folders)):
            return None
        return FileInfo(path, is_dir=entry.is_folder, file_size=entry.size if entry.is_file else None)

    def open(self, path: str) -> BinaryIO:
        """A file to read from; the caller closes it.

        Raises:
            NotFound: There is no such file.
            InvalidInput: It is a folder.
        """
        path = checked_path(path)
        with translated(f"read {path!r} in {self.uri}"):
            names = self._names(path)
            entry = self._entry(names)
            if entry is not None and entry.is_folder:
                raise InvalidInput(f"{path!r} in {self.uri} is a folder.", hint="List it, and open the files in it.")
            if entry is None or not entry.is_file:
                raise self._missing(path)
            with Folder.at(self._real_root, names[:-1]) as folder:
                return os.fdopen(folder.read(names[-1]), "rb")

    def local_path(self, path: str) -> Path | None:
        """The local file or folder behind a path; None where nothing is."""
        path = checked_path(path)
        with translated(f"find {path!r} in {self.uri}"):
            there = self._entry(self._names(path)) is not None
        return self.root.joinpath(*path.split("/")) if there else None

    # --- writing ---------------------------------------------------------------------------------------------

    def put(self, path: str, stream: BinaryIO) -> None:
        """Write a file from a stream, making the folders above it; an existing one is replaced.

        Raises:
            InvalidInput: The path is the root or an existing folder, or lies below a file.
            StoreFull: No space; nothing of the file is left.
            StoreReadOnly: This user may not write there.
        """
        above, name = self._split(checked_path(path))
        source = Source(stream)
        with translated(f"write {path!r} in {self.uri}", writing=True, source=source):
            names = self._names(above)
            try:
                self._write(names, name, source)
            except BaseException:
                self._prune(names)
                raise

    def _write(self, names: tuple[str, ...], name: str, source: Source) -> None:
        folder, staging, descriptor = self._staged(names)
        with folder:
            try:
                with os.fdopen(descriptor, "wb") as file:
                    self._refuse_folder(folder, name)
                    self._sweep(folder)
                    for block in source.blocks():
                        file.write(block)
                    if settings.get("durability") == "power":
                        file.flush()
                        os.fsync(file.fileno())
                folder.replace(staging, name)
            except BaseException:
                with suppress(FileNotFoundError):  # the folder was deleted meanwhile
                    folder.remove(staging)
                raise

    def _staged(self, names: tuple[str, ...]) -> tuple[Folder, str, int]:
        # A folder without files goes away, so the one just made may be gone before the file is in it.
        staging = staging_name()
        for _ in range(_ATTEMPTS):
            try:
                folder = Folder.at(self._real_root, names, make=True)
            except FileNotFoundError:
                continue
            try:
                return folder, staging, folder.create(staging)
            except FileNotFoundError:
                folder.close()
            except BaseException:
                folder.close()
                raise
        raise FileNotFoundError(errno.ENOENT, "The folder goes away as soon as it is made", "/".join(names))

    def _refuse_folder(self, folder: Folder, name: str) -> None:
        if not (folder.path / name).is_dir():
            return
        try:
            folder.remove_folder(name)  # an empty one does not count
        except OSError as error:
            raise InvalidInput(
                f"{folder.path / name} is a folder.", hint="Delete it first, or use another name."
            ) from error

    def _sweep(self, folder: Folder) -> None:
        if folder.path in self._swept:
            return
        self._swept.add(folder.path)
        for entry in folder.entries():
            if is_staging(entry.name) and time.time() - entry.changed > _LEFT_BEHIND:
                with suppress(FileNotFoundError):  # another writer was faster
                    folder.remove(entry.name)

    def delete(self, path: str) -> None:
        """Remove a file, or a folder with everything in it; ``""`` empties the store.

        A link is removed itself, not what it leads to.

        Raises:
            NotFound: There is nothing at that path.
            StoreReadOnly: This user may not write there.
        """
        path = checked_path(path)
        with translated(f"delete {path!r} in {self.uri}", writing=True):
            if not path:
                self._empty(())
                return
            above, name = self._split(path)
            names = self._names(above)
            if (entry := self._entry((*names, name))) is None:
                raise self._missing(path)
            self._remove(names, entry)
            self._prune(names)

    def _remove(self, names: tuple[str, ...], entry: Entry) -> None:
        if entry.is_folder:
            self._empty((*names, entry.name))
        with Folder.at(self._real_root, names) as folder:
            if not entry.is_folder:
                folder.remove(entry.name)
                return
            with suppress(OSError):  # somebody has put a file there meanwhile: it stays
                folder.remove_folder(entry.name)

    def _empty(self, names: tuple[str, ...]) -> None:
        """Remove everything in a folder; what others put there meanwhile may stay."""
        for _ in range(_ATTEMPTS):
            try:
                folder = Folder.at(self._real_root, names)
            except FileNotFoundError:  # nothing is left to remove
                return
            with folder, suppress(FileNotFoundError):  # somebody else removes or moves the same things: once more
                self._empty_below(folder)
                return
        raise FileNotFoundError(errno.ENOENT, "The folder changes all the time", "/".join(names))

    def _empty_below(self, folder: Folder) -> None:
        # No recursion, and one folder open at a time: a tree may be deeper than Python's stack and have more levels
        # than there are descriptors. Nor is any of them sought from the root: that would take long where it is deep.
        inside = [self._without_files(folder)]
        while inside:
            if inside[-1]:
                folder.enter(inside[-1].pop())
                inside.append(self._without_files(folder))
                continue
            inside.pop()
            if inside:
                name = folder.leave()
                with suppress(OSError):  # somebody has put a file there meanwhile: it stays
                    folder.remove_folder(name)

    def _without_files(self, folder: Folder) -> builtins.list[str]:
        """Remove the files in a folder; the names of the folders in it."""
        entries = folder.entries()
        for entry in entries:
            if not entry.is_folder and not self._is_being_written(entry):
                folder.remove(entry.name)
        return [entry.name for entry in entries if entry.is_folder]

    def _is_being_written(self, entry: Entry) -> bool:
        return is_staging(entry.name) and time.time() - entry.changed <= _LEFT_BEHIND

    def _prune(self, names: tuple[str, ...]) -> None:
        """Remove a folder and those above it for as long as they are empty: folders exist by having something."""
        # What others remove meanwhile, they prune, too.
        with suppress(FileNotFoundError), Folder.at(self._real_root) as folder:
            with suppress(OSError):  # those that are gone already are as they should be
                for name in names:
                    folder.enter(name)
            while not folder.is_root:
                name = folder.leave()
                try:
                    folder.remove_folder(name)
                except OSError as error:
                    if error.errno in (errno.ENOTEMPTY, errno.EEXIST):
                        return

    # --- both ------------------------------------------------------------------------------------------------

    @property
    def _real_root(self) -> Path:
        return Path(os.path.realpath(self.root))

    def _names(self, path: str) -> tuple[str, ...]:
        return resolved(self._real_root, path)

    def _entry(self, names: tuple[str, ...]) -> Entry | None:
        """What is at the end of a way without links; the root is a folder even before it is made."""
        if not names:
            return Entry("", 0o040000, 0, 0.0)
        try:
            with Folder.at(self._real_root, names[:-1]) as folder:
                return folder.entry(names[-1])
        except (FileNotFoundError, NotADirectoryError):
            return None

    def _split(self, path: str) -> tuple[str, str]:
        above, _, name = path.rpartition("/")
        if not name:
            raise InvalidInput(f"A file in {self.uri} needs a name.", hint="Give a path below the root.")
        return above, name

    def _missing(self, path: str) -> NotFound:
        return NotFound(f"There is no artifact {path!r} in {self.uri}.", hint="List the folder above it.")


def _holds_something(path: Path) -> bool:
    """Whether any file is in a folder or below it; one that only a killed writer made does not count."""
    folders = [path]
    while folders:
        try:
            entries = list(os.scandir(folders.pop()))
        except FileNotFoundError:  # it went away meanwhile
            continue
        except PermissionError:  # nobody can tell: better to show it
            return True
        folders += [Path(entry.path) for entry in entries if entry.is_dir(follow_symlinks=False)]
        if any(not entry.is_dir(follow_symlinks=False) and not is_staging(entry.name) for entry in entries):
            return True
    return False
