"""What Git knows of the code that runs: commit, branch and remote from its files, changes from git itself.

Reading the files takes a fraction of a millisecond and works where git is not installed. Whether there are changes only
git can tell, and in a huge repository that takes long: it is asked in the background, for a limited time.
"""

from __future__ import annotations

import errno
import os
import re
import stat
import threading
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from dovetail import concealment, posix, uris

if TYPE_CHECKING:
    import subprocess

__all__ = ["Repository", "give_up"]

_COMMIT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_LONGEST_CHAIN = 5  # of refs that name refs, as in Git
_BRANCHES = "refs/heads/"
_USER = re.compile(r"([A-Za-z][A-Za-z0-9+.\-]*://)([^/]*)@")
_SECTION = re.compile(r'\[\s*([^\s"\]]+)\s*(?:"((?:[^"\\]|\\.)*)")?\s*\]')
# What people keep secrets in is left out of changes, tracked or not.
_LEFT_OUT = (".env*", "*.env", "*.pem", "*.key", "id_rsa*", "id_ed25519*", ".netrc", ".pypirc")
# Nothing of this may write to the repository, ask anybody anything, load from a network or start other programs.
_QUIET = {"GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0", "GIT_NO_LAZY_FETCH": "1", "LC_ALL": "C"}
_CHANGES = ("diff", "HEAD", "--no-ext-diff", "--no-textconv", "--no-color", "--submodule=diff", "--binary")
_STATUS = ("status", "--porcelain", "--untracked-files=no", "--ignore-submodules=untracked")


@dataclass(frozen=True)
class Repository:
    """A Git repository with files that are checked out.

    Args:
        folder: The topmost of these files' folders.
        files: Where it keeps what belongs to this checkout; a linked one has a folder of its own.
    """

    folder: Path
    files: Path

    @classmethod
    def around(cls, folder: Path | str) -> Repository | None:
        """The repository that a folder lies in; None outside of one."""
        try:
            place = os.path.abspath(folder)  # noqa: PTH100 - at each start of a run
        except FileNotFoundError:  # the working folder was removed
            return None
        while True:
            if os.access(f"{place}/.git", os.F_OK):  # os.path.exists takes three times as long where there is none
                return cls._at(place, whole=os.path.isdir(f"{place}/.git"))  # noqa: PTH112
            above = os.path.dirname(place)  # noqa: PTH120
            if above == place:
                return None
            place = above

    @classmethod
    def _at(cls, place: str, *, whole: bool) -> Repository | None:
        if whole:
            return _checkout(place)
        # A worktree or submodule: a line that says where the real folder is.
        try:
            git = Path(place, _text(f"{place}/.git").removeprefix("gitdir:").strip()).resolve()
        except (OSError, ValueError):  # not to be read, or no text
            return None
        return cls(Path(place), git)

    # --- from its files --------------------------------------------------------------------------------------

    def checked_out(self) -> tuple[str | None, str | None]:
        """Commit and branch.

        There is no commit before the first one, or where the files do not tell; no branch if a commit is checked out
        and not a branch.
        """
        found, ref = self._head()
        branch = ref.removeprefix(_BRANCHES) if ref.startswith(_BRANCHES) else None
        return (found if _COMMIT.fullmatch(found) else None), branch

    def remote(self) -> str | None:
        """Where it was cloned from, without user, password and token; None for one that is from nowhere else.

        That is what ``origin`` names, otherwise the first remote there is.
        """
        try:
            path = f"{self._common()}/config"
            looks = os.stat(path)  # noqa: PTH116 - at each start of a run
            return _remote_in(path, looks.st_mtime_ns, looks.st_size)
        except (OSError, ValueError):
            return None

    def _head(self) -> tuple[str, str]:
        """What is checked out, and the ref that says so, which is empty where the commit itself is named."""
        ref = ""
        with suppress(OSError, ValueError):  # not there, not to be read, or no text
            found = _text(f"{self.files}/HEAD")
            for _ in range(_LONGEST_CHAIN):
                if not found.startswith("ref:"):
                    return found, ref
                name = found.removeprefix("ref:").strip()
                ref = ref or name
                found = self._content(name)
        return "", ref

    def _content(self, ref: str) -> str:
        for root in dict.fromkeys((str(self.files), self._common())):
            with suppress(FileNotFoundError, IsADirectoryError, NotADirectoryError):
                return _text(f"{root}/{ref}")
            with suppress(FileNotFoundError):
                for line in _text(f"{root}/packed-refs").splitlines():
                    if line.endswith(f" {ref}"):
                        return line.split(" ", 1)[0]
        return ""

    def _common(self) -> str:
        """What all checkouts of the repository have in common."""
        if not os.access(f"{self.files}/commondir", os.F_OK):  # as nearly always
            return str(self.files)
        return str((self.files / _text(f"{self.files}/commondir")).resolve())

    # --- from git --------------------------------------------------------------------------------------------

    def dirty(self, timeout: float) -> bool | None:
        """Whether files that are tracked differ from the commit, those of submodules included.

        Args:
            timeout: Seconds that git may take.

        Returns:
            None if git is not there, fails, or takes longer.
        """
        answer = self._git(_STATUS, timeout, limit=1)
        return None if answer is None else bool(answer)

    def changes(self, timeout: float, limit: int) -> bytes | None:
        """What was changed in tracked files since the commit, for ``git apply``.

        Files that people keep secrets in (``.env``, keys) are left out; so is what Git ignores or was not added.

        Args:
            timeout: Seconds that git may take.
            limit: Bytes; what is longer is cut there, one byte behind the limit, so that it shows.

        Returns:
            None if git is not there, fails, or takes longer.
        """
        left_out = [f":(top,exclude,glob)**/{name}" for name in _LEFT_OUT]
        return self._git((*_CHANGES, "--", ":(top)", *left_out), timeout, limit)

    def _git(self, words: tuple[str, ...], timeout: float, limit: int) -> bytes | None:
        from subprocess import DEVNULL, PIPE

        env = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
        argv = ["git", "-c", "core.fsmonitor=false", "-c", "core.quotepath=off", *words]
        try:
            process = posix.start_group(argv, env={**env, **_QUIET}, cwd=self.folder, stdout=PIPE, stderr=DEVNULL)
        except OSError:  # not installed, or no processes are left
            return None
        assert process.stdout is not None, "a pipe was asked for"  # noqa: S101 - for type checkers
        _asked.add(process.pid)
        late = threading.Timer(timeout, posix.kill_group, [process.pid])
        late.daemon = True
        late.start()
        try:
            with process.stdout as stream:
                answer = stream.read(limit + 1)
            return answer if len(answer) > limit or process.wait() == 0 else None
        finally:
            _end(process, late)


_asked: set[int] = set()


def give_up() -> None:
    """Wait no longer for what git is asked at this moment."""
    for pid in list(_asked):
        posix.kill_group(pid)


def _end(process: subprocess.Popen[bytes], late: threading.Timer) -> None:
    """Leave nothing behind; a process group's number is only good while its head was not waited for."""
    late.cancel()
    _asked.discard(process.pid)
    if process.poll() is None:
        posix.kill_group(process.pid)
        process.wait()


@lru_cache(maxsize=8)
def _checkout(place: str) -> Repository:
    """The repository whose files lie in its topmost folder."""
    return Repository(Path(place), Path(place, ".git"))


def _text(path: str) -> str:
    """What a short file says; it is read again when it looks different, as Git puts a new file in its place then."""
    looks = os.stat(path)  # noqa: PTH116 - at each start of a run
    if not stat.S_ISREG(looks.st_mode):  # whoever opens a pipe waits for it
        raise OSError(errno.EINVAL, "it is no regular file")
    return _text_of(path, looks.st_ino, looks.st_size, looks.st_mtime_ns, looks.st_ctime_ns)


@lru_cache(maxsize=32)
def _text_of(path: str, *looks: int) -> str:
    del looks
    return Path(path).read_text(encoding="utf-8").strip()


@lru_cache(maxsize=32)
def _remote_in(path: str, changed: int, size: int) -> str | None:
    """The remote that a file of settings names; read again when the file looks different."""
    del changed, size
    urls = _remotes(_text(path))
    return _without_credentials(urls.get("origin") or next(iter(urls.values()))) if urls else None


def _remotes(config: str) -> dict[str, str]:
    """The remotes' locations by name."""
    urls: dict[str, str] = {}
    remote: str | None = None
    for line in map(str.strip, config.splitlines()):
        if section := _SECTION.match(line):
            remote = section[2] if section[1].lower() == "remote" else None
        name, equals, value = line.partition("=")
        if remote and equals and name.strip().lower() == "url":
            urls.setdefault(remote, value.strip().strip('"'))
    return urls


def _without_credentials(url: str) -> str:
    """A remote as anybody may see it; who logs in by ssh is the same user for all, and part of the address."""
    found = _USER.match(url)
    if found is None:
        return concealment.shown(url)
    user = f"{found[2].partition(':')[0]}@" if "ssh" in found[1].lower() else ""
    return f"{found[1]}{user}{uris.masked(url[found.end() :])}"
