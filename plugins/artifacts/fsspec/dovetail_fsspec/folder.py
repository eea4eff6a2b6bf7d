"""Folders below a root, entered one name at a time so that no symbolic link leads anywhere else.

A path that was checked and is then opened by its name can be swapped for a link in between. So the checked path is
walked from the root with descriptors, each step refusing links, and what is done in a folder is done relative to its
descriptor. Windows has no such calls; there the checked path itself is used.
"""

from __future__ import annotations

import errno
import os
import stat
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from dovetail.errors import InvalidUri

if TYPE_CHECKING:
    from types import TracebackType

    from typing_extensions import Self

__all__ = ["Entry", "Folder", "resolved"]

_BY_DESCRIPTOR = os.open in os.supports_dir_fd
_NO_LINK = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
_FOLDER = os.O_RDONLY | getattr(os, "O_DIRECTORY", 0) | _NO_LINK
# A named pipe would otherwise wait for somebody to write into it.
_READ = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | _NO_LINK
_CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | _NO_LINK
# Windows refuses to replace a file for as long as somebody has it open: seconds to wait before each next attempt.
_PAUSES = (0.01, 0.05, 0.25, 1.0, 4.0, 0.0) if sys.platform == "win32" else (0.0,)
_FORBIDDEN_ON_WINDOWS = '<>:"|?*'


def resolved(root: Path, path: str) -> tuple[str, ...]:
    """The names that lead from a root to what a path really is, with symbolic links followed.

    Args:
        root: The root with its own links followed.
        path: An artifact path.

    Raises:
        InvalidUri: A link leads out of the root, or Windows reads the path as something else than a path.
    """
    if sys.platform == "win32" and any(letter in path for letter in _FORBIDDEN_ON_WINDOWS):
        raise InvalidUri(f"Windows has no files called {path!r}.", hint=f"Leave out {_FORBIDDEN_ON_WINDOWS}")
    real = Path(os.path.realpath(root.joinpath(*path.split("/"))))
    if not real.is_relative_to(root):
        raise InvalidUri(f"{path!r} leads out of {root} by a symbolic link.", hint="Store a copy instead of a link.")
    return real.relative_to(root).parts


@dataclass(frozen=True)
class Entry:
    """One name in a folder, and what it is; links are not followed."""

    name: str
    mode: int
    size: int
    changed: float

    @property
    def is_folder(self) -> bool:
        """Whether it is a folder."""
        return stat.S_ISDIR(self.mode)

    @property
    def is_file(self) -> bool:
        """Whether it is a regular file."""
        return stat.S_ISREG(self.mode)

    @property
    def is_link(self) -> bool:
        """Whether it is a symbolic link."""
        return stat.S_ISLNK(self.mode)


class Folder:
    """A folder that is held open; what its methods do, they do in this very folder."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._names: list[str] = []
        self._passed: list[tuple[int, int]] = []  # what the folders are that lead here
        self._descriptor = os.open(root, _FOLDER) if _BY_DESCRIPTOR else None

    @property
    def path(self) -> Path:
        """Where the folder was when it was entered."""
        return self._root.joinpath(*self._names)

    @classmethod
    def at(cls, root: Path, names: tuple[str, ...] = (), *, make: bool = False) -> Folder:
        """The folder that names lead to from a root, each a real folder and no link.

        Args:
            root: The root with its own links followed.
            names: The way from there.
            make: Whether to make what is missing.
        """
        if make:
            root.mkdir(parents=True, exist_ok=True)
        folder = cls(root)
        try:
            for name in names:
                folder.enter(name, make=make)
        except BaseException:
            folder.close()
            raise
        return folder

    @property
    def is_root(self) -> bool:
        """Whether it is the root itself."""
        return not self._names

    def enter(self, name: str, *, make: bool = False) -> None:
        """Go on into a folder in this one; where that cannot be done, this stays the one that is held open.

        Args:
            name: What it is called here.
            make: Whether to make it where it is missing.

        Raises:
            FileNotFoundError: There is none.
            NotADirectoryError: It is something else.
        """
        here = self._descriptor
        if make:
            with suppress(FileExistsError):  # if that is no folder, opening it says so
                os.mkdir(self._at(name), dir_fd=here)
        if here is None:
            _require_folder(self.path / name)
        else:
            below = os.open(name, _FOLDER, dir_fd=here)
            self._passed.append(_identity(here))
            self._descriptor = below
            os.close(here)
        self._names.append(name)

    def leave(self) -> str:
        """Go back to the folder that this one was entered from; however deep it lies, that is one step.

        Returns:
            What this one was called there.

        Raises:
            FileNotFoundError: It was moved or removed meanwhile: the one above it is another one, or none.
        """
        if self._descriptor is not None:
            above = os.open("..", _FOLDER, dir_fd=self._descriptor)
            os.close(self._descriptor)
            self._descriptor = above
            if _identity(above) != self._passed.pop():
                raise FileNotFoundError(errno.ENOENT, "The folder was moved", str(self.path))
        return self._names.pop()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the folder."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def _at(self, name: str) -> str:
        return name if self._descriptor is not None else str(self.path / name)

    def entries(self) -> list[Entry]:
        """What is in the folder now, in no order."""
        where = self.path if self._descriptor is None else self._descriptor
        with os.scandir(where) as found:
            names = [entry.name for entry in found]
        return [entry for name in names if (entry := self.entry(name)) is not None]

    def entry(self, name: str) -> Entry | None:
        """One thing in the folder, if it is there."""
        try:
            found = os.lstat(self._at(name), dir_fd=self._descriptor)
        except FileNotFoundError:
            return None
        return Entry(name, found.st_mode, found.st_size, found.st_mtime)

    def read(self, name: str) -> int:
        """A descriptor to read a file from."""
        return os.open(self._at(name), _READ, dir_fd=self._descriptor)

    def create(self, name: str) -> int:
        """A descriptor to write a new file to."""
        return os.open(self._at(name), _CREATE, 0o666, dir_fd=self._descriptor)

    def replace(self, name: str, target: str) -> None:
        """Give a file another name here, in place of what has that name."""
        here = self._descriptor
        for pause in _PAUSES:
            try:
                os.replace(self._at(name), self._at(target), src_dir_fd=here, dst_dir_fd=here)
            except PermissionError:  # noqa: PERF203 - tried again only on Windows
                if not pause:
                    raise
                time.sleep(pause)
            else:
                return

    def remove(self, name: str) -> None:
        """Remove a file, or a link itself."""
        os.unlink(self._at(name), dir_fd=self._descriptor)

    def remove_folder(self, name: str) -> None:
        """Remove an empty folder."""
        os.rmdir(self._at(name), dir_fd=self._descriptor)


def _require_folder(path: Path) -> None:
    if not path.is_dir():
        kind = NotADirectoryError if path.exists() else FileNotFoundError
        raise kind(errno.ENOENT, "No such folder", str(path))


def _identity(descriptor: int) -> tuple[int, int]:
    found = os.fstat(descriptor)
    return found.st_dev, found.st_ino
