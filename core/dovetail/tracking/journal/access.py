"""Who may use a folder of journals: its user alone, or everybody who may write to the store that it lies beside."""

from __future__ import annotations

import errno
import os
import stat
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

from dovetail import posix

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["BESIDE", "adapt", "hint", "make"]

BESIDE = ".journals"
"""How the name of a folder ends that lies beside a file; before that it is the file's name."""
_GROUP, _OTHERS = 0o070, 0o007


def make(folder: Path, *, beside: bool) -> None:
    """Make a folder for journals if it is missing.

    Args:
        folder: The folder.
        beside: Whether it lies beside a store: then those may use it who may write to the store, and nobody else;
            otherwise it is the user's own.

    Raises:
        OSError: It cannot be made.
    """
    posix.private_folder(folder.parent if beside else folder)
    if beside:
        likeness = _likeness(folder)
        with suppress(FileExistsError):
            folder.mkdir(mode=_mode(likeness))
        if folder.is_symlink():
            # Whoever may write beside the store could lead others, root among them, to any folder.
            raise OSError(errno.ELOOP, "it is a symbolic link")
        _adapt(folder, likeness, _mode(likeness))


def adapt(descriptor: int, folder: Path) -> None:
    """Let those use a file, which is this user's, who may use the folder that it lies in.

    Args:
        descriptor: Of the file, which is open.
        folder: The folder.
    """
    likeness = os.stat(folder)  # noqa: PTH116 - as below
    _adapt(descriptor, likeness, _mode(likeness) & 0o666)


def hint(folder: Path, error: OSError, *, beside: bool) -> str:
    """What to do when no journal can be kept in a folder.

    Args:
        folder: The folder.
        error: Why it cannot.
        beside: Whether it lies beside a store.
    """
    if not beside:
        return "Choose another place with the setting journal_dir."
    if error.errno not in (errno.EACCES, errno.EPERM):
        return f"It lies beside its store, and whoever logs there must be able to make files in {folder}."
    if not folder.is_dir():
        return f"Whoever logs to a store must be able to make files beside it: in {folder.parent}."
    return (
        f"It lies beside its store, and whoever logs there needs it. It is {_owner(folder)}'s, who opens it as far as "
        f"the store is open: chmod {_mode(_likeness(folder)) & 0o777:o} {folder}"
    )


def _likeness(folder: Path) -> os.stat_result:
    """Of the file that the folder lies beside, or of the folder that it lies in."""
    if folder.name.endswith(BESIDE):
        with suppress(FileNotFoundError):
            return folder.with_name(folder.name.removesuffix(BESIDE)).stat()
    return folder.parent.stat()


def _mode(likeness: os.stat_result) -> int:
    """The mode of a folder for all who may write to something."""
    mode = stat.S_IRWXU
    mode |= _GROUP if likeness.st_mode & stat.S_IWGRP else 0
    mode |= _OTHERS if likeness.st_mode & stat.S_IWOTH else 0
    # Where nobody may remove what is another's, that holds for journals, too.
    return mode | (likeness.st_mode & stat.S_ISVTX if stat.S_ISDIR(likeness.st_mode) else 0)


if sys.platform == "win32":

    def _adapt(target: Path | int, likeness: os.stat_result, mode: int) -> None:
        """On Windows files are as open as the folder that they are made in."""

    def _owner(path: Path) -> str:
        del path
        return "another user"

else:

    def _adapt(target: Path | int, likeness: os.stat_result, mode: int) -> None:
        """Give to a file or folder, if it is this user's, owner, group and mode: root makes what others need, too."""
        found, user = os.stat(target), os.geteuid()  # noqa: PTH116 - descriptors have no Path
        if user not in (0, found.st_uid):
            return
        owner, group = likeness.st_uid if user == 0 else found.st_uid, likeness.st_gid
        if (found.st_uid, found.st_gid) != (owner, group):
            try:
                os.chown(target, owner, group)
            except OSError:  # this user is not in that group: whoever is in another one is one of the others
                mode = mode & ~_GROUP | (mode & _OTHERS) << 3
        mode |= found.st_mode & stat.S_ISGID
        if stat.S_IMODE(found.st_mode) != mode:
            with suppress(OSError):  # some file systems know no modes
                os.chmod(target, mode)  # noqa: PTH101

    def _owner(path: Path) -> str:
        import pwd

        user = path.stat().st_uid
        try:
            return pwd.getpwuid(user).pw_name
        except KeyError:
            return f"user {user}"
