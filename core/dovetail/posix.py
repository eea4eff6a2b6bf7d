"""The calls that differ between POSIX and Windows: file locks, process groups, signals.

Everything else in dovetail is written once. On Windows a group of processes is a new console group; asking it to end
sends CTRL-BREAK, and ending it by force goes through ``taskkill /T``, which follows the tree of parents.
"""

from __future__ import annotations

import errno
import os
import signal
import sys
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator, Mapping, Sequence

__all__ = [
    "can_map",
    "end_group",
    "group_is_alive",
    "hold",
    "inherited",
    "is_alive",
    "is_running",
    "kill_group",
    "locked",
    "private_folder",
    "start_group",
]

_POLL = 0.05


@contextmanager
def locked(path: Path, *, timeout: float | None = None, shared: bool = False, create: bool = True) -> Iterator[int]:
    """Hold a lock on a file, against other processes and other threads of this one.

    The file is made where absent; only who holds it exclusively may remove it, or rename what it stands for. The
    system gives the lock back when the holder dies, however it dies.

    Args:
        path: The lock file; its folder must exist.
        timeout: Seconds to wait for the lock; 0 tries once, None waits for as long as it takes.
        shared: Share it with others who say so too, and keep out those who want it for themselves.
        create: Make the file where absent; without, that is a ``FileNotFoundError``, and reading rights are enough.

    Yields:
        The file's descriptor. A child that inherits it (POSIX) keeps the lock until it has ended too.

    Raises:
        TimeoutError: Somebody else still holds the lock.
    """
    descriptor = hold(path, timeout=timeout, shared=shared, create=create)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def hold(path: Path, *, timeout: float | None = None, shared: bool = False, create: bool = True) -> int:
    """Take a lock as ``locked`` does, and keep it until the descriptor that is returned is closed."""
    deadline = None if timeout is None else time.monotonic() + timeout
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600) if create else os.open(path, os.O_RDONLY)
        try:
            _wait_for_lock(descriptor, path, deadline, shared=shared)
            # Whoever held it before may have removed the file: then this lock would keep nobody out.
            if _is_still(path, descriptor):
                return descriptor
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)


def _wait_for_lock(descriptor: int, path: Path, deadline: float | None, *, shared: bool) -> None:
    while not _try_lock(descriptor, shared=shared):
        if deadline is not None and time.monotonic() >= deadline:
            raise TimeoutError(errno.ETIMEDOUT, "locked by another process", str(path))
        time.sleep(_POLL)


def _is_still(path: Path, descriptor: int) -> bool:
    try:
        return os.path.samestat(os.stat(path), os.fstat(descriptor))  # noqa: PTH116 - beside fstat
    except FileNotFoundError:
        return False


def private_folder(path: Path) -> Path:
    """Make a folder, and the missing ones above it, that only this user may enter; one that exists stays as it is."""
    missing = [folder for folder in (path, *path.parents) if not folder.exists()]
    for folder in reversed(missing):
        folder.mkdir(mode=0o700, exist_ok=True)
    return path


def can_map(folder: Path) -> bool:
    """Whether files of a folder may be mapped into memory and written there.

    Room for them can be allocated, and no network lies between, where a page may fail to be written long after it was
    changed.
    """
    return sys.platform.startswith("linux") and _kind_of_system(folder.resolve()) in _LOCAL


_LOCAL = frozenset({"ext2", "ext3", "ext4", "xfs", "btrfs", "tmpfs", "f2fs", "overlay", "zfs", "bcachefs"})


def _kind_of_system(folder: Path) -> str:
    """The kind of file system that a folder lies on, as the kernel calls it; empty if it does not tell."""
    device = os.stat(folder).st_dev  # noqa: PTH116 - of the same kind as below
    number = f"{os.major(device)}:{os.minor(device)}"
    try:
        lines = Path("/proc/self/mountinfo").read_text("utf-8", "replace").splitlines()
    except OSError:
        return ""
    for line in lines:
        # A line is: id, parent, major:minor, root, place, options …, a dash, kind, source, options.
        before, _, after = line.partition(" - ")
        if before.split()[2] == number:
            return after.split()[0]
    return ""


def start_group(
    argv: Sequence[str],
    *,
    env: Mapping[str, str],
    cwd: Path | None = None,
    stdout: int | IO[Any] | None = None,
    stderr: int | IO[Any] | None = None,
    keep: Sequence[int] = (),
) -> subprocess.Popen[bytes]:
    """Start a program as the head of a process group of its own, without a shell and with nothing on standard input.

    The interrupt key of the terminal does not reach it: whoever started it ends it with ``end_group``.

    Args:
        argv: Program and arguments, given over as they are.
        env: All variables it sees.
        cwd: Its working folder; by default this process's.
        stdout: Where its output goes.
        stderr: Where its error output goes.
        keep: Descriptors that it inherits; ignored on Windows.

    Raises:
        OSError: The program or the folder is missing or may not be used.
    """
    import subprocess

    options: dict[str, Any] = {"start_new_session": True, **inherited(keep)}
    if sys.platform == "win32":
        import shutil

        options = {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP}
        # Windows looks for the program on the PATH of this process; POSIX on that of the child.
        argv = [shutil.which(argv[0], path=env.get("PATH")) or argv[0], *argv[1:]]
    return subprocess.Popen(  # noqa: S603 - a list of arguments, never a line for a shell
        list(argv), env=dict(env), cwd=cwd, stdin=subprocess.DEVNULL, stdout=stdout, stderr=stderr, **options
    )


def end_group(process: subprocess.Popen[bytes], *, grace: float) -> None:
    """End a process made by ``start_group`` and everything it started.

    All are asked to end first (SIGTERM); those still there after the grace period are killed.

    Args:
        process: The head of the group; it is waited for.
        grace: Seconds between asking and killing.
    """
    _ask_group(process.pid)
    deadline = time.monotonic() + grace
    while time.monotonic() < deadline:
        # The head is reaped by poll(); otherwise it would count as a living member of its group.
        if process.poll() is not None and not group_is_alive(process.pid):
            return
        time.sleep(_POLL)
    kill_group(process.pid)
    process.wait()


if sys.platform == "win32":
    import msvcrt

    # Windows locks ranges of bytes, which nobody else can read then: ranges far behind what a lock file holds. A lock
    # for oneself takes the whole range; those who share it take a byte of it each, any one that is free.
    _RANGE = (1 << 30, 1024)
    _TRIES = 16

    def _try_lock(descriptor: int, *, shared: bool) -> bool:
        start, length = _RANGE
        if not shared:
            return _lock_bytes(descriptor, start, length)
        import random

        return any(_lock_bytes(descriptor, start + random.randrange(length), 1) for _ in range(_TRIES))  # noqa: S311

    def _lock_bytes(descriptor: int, start: int, length: int) -> bool:
        os.lseek(descriptor, start, os.SEEK_SET)
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, length)
        except OSError as error:
            if error.errno not in (errno.EACCES, errno.EDEADLK):
                raise
            return False
        return True

    def inherited(keep: Sequence[int]) -> dict[str, Any]:
        """The options of ``subprocess`` that make a child inherit descriptors; Windows has none that fit."""
        del keep
        return {}

    def _ask_group(leader: int) -> None:
        with suppress(OSError):  # it has ended already
            os.kill(leader, signal.CTRL_BREAK_EVENT)

    def kill_group(leader: int) -> None:
        """Kill every process that the leader started, and the leader, at once; those that have ended do not matter."""
        import subprocess

        command = ["taskkill", "/F", "/T", "/PID", str(leader)]
        subprocess.run(command, check=False, capture_output=True)  # noqa: S603 - found on the system's path

    def group_is_alive(leader: int) -> bool:
        """Whether the leader is there; Windows does not tell about the rest of its group."""
        return is_alive(leader)

    def is_alive(pid: int) -> bool:
        """Whether a process of this id is there."""
        import subprocess

        listed = subprocess.run(  # noqa: S603
            ["tasklist", "/NH", "/FO", "CSV", "/FI", f"PID eq {pid}"],  # noqa: S607 - found on the system's path
            check=False,
            capture_output=True,
            text=True,
        )
        return f'"{pid}"' in listed.stdout

    is_running = is_alive

else:
    import fcntl

    def _try_lock(descriptor: int, *, shared: bool) -> bool:
        try:
            fcntl.flock(descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def inherited(keep: Sequence[int]) -> dict[str, Any]:
        """The options of ``subprocess`` that make a child inherit descriptors, and with them the locks they hold."""
        return {"pass_fds": tuple(keep)}

    def _ask_group(leader: int) -> None:
        with suppress(ProcessLookupError):  # all of it has ended already
            os.killpg(leader, signal.SIGTERM)

    def kill_group(leader: int) -> None:
        """Kill every process of the group at once; those that have ended do not matter."""
        with suppress(ProcessLookupError):
            os.killpg(leader, signal.SIGKILL)

    def group_is_alive(leader: int) -> bool:
        """Whether a process of the group is there.

        Those that have ended and that nobody has waited for do not count on Linux: in a container there may be
        nobody who ever does. Elsewhere they cannot be told apart.
        """
        return _is_there(-leader) and (not sys.platform.startswith("linux") or _works_in_group(leader))

    def _works_in_group(leader: int) -> bool:
        for stat in Path("/proc").glob("[0-9]*/stat"):
            with suppress(OSError):  # it has ended meanwhile
                # "pid (name) state parent group ...", where the name may hold anything, brackets too
                state, _, group = stat.read_text(errors="replace").rpartition(")")[2].split()[:3]
                if int(group) == leader and state not in "ZX":
                    return True
        return False

    def is_alive(pid: int) -> bool:
        """Whether a process of this id is there, be it one that has ended and that nobody has waited for."""
        return pid > 0 and _is_there(pid)

    def is_running(pid: int) -> bool:
        """Whether a process of this id goes on: one that has ended does not, though nobody has waited for it yet."""
        return is_alive(pid) and not _is_waited_for(pid)

    def _is_waited_for(pid: int) -> bool:
        try:
            stat = Path(f"/proc/{pid}/stat").read_text(errors="replace")
        except OSError:  # no Linux, or it has just gone
            return False
        return stat.rpartition(")")[2].split()[0] in "ZX"

    def _is_there(pid: int) -> bool:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return False
        except PermissionError:  # it is there and another user's
            return True
        return True
