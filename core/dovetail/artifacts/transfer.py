"""Moving files and folders between this machine and an artifact store."""

from __future__ import annotations

import errno
import io
import os
import posixpath
import shutil
import tempfile
import threading
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, TypeVar, cast

from dovetail import uris
from dovetail.artifacts.progress import Progress, Transferred, followed
from dovetail.errors import InvalidInput, NotFound, StoreError, StoreFull, StoreReadOnly

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from dovetail.artifacts.store import ArtifactStore
    from dovetail.values import FileInfo

__all__ = ["Progress", "Transferred", "download", "read", "upload"]

Item = TypeVar("Item")

_THREADS = 8
_BLOCK = 1 << 20
_FULL = {errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC)}
_READ_ONLY = {errno.EACCES, errno.EPERM, errno.EROFS}


def upload(store: ArtifactStore, local: Path, path: str, progress: Progress | None = None) -> None:
    """Put a file, or what is in a folder, into a store.

    What links lead to is uploaded in their place. All is looked through before anything is uploaded, and what cannot
    be stored is an error: nothing is left out, except folders without files, which stores do not have. Files go up
    eight at a time; when one fails, those under way are given up and the others not begun.

    Args:
        store: Where to.
        local: A file or folder of this machine.
        path: The artifact path the file gets; for a folder, the artifact path of the folder (``""``: the root).
        progress: Told how far it is; by default a bar on the terminal, if there is one and it takes long.

    Raises:
        NotFound: There is nothing at ``local``, or a link in it leads nowhere.
        InvalidInput: It holds something that is no file and no folder, a link in a circle, or a name that artifacts
            cannot have; or a file is to go where a folder is.
        StoreError: The store, or reading from this machine, fails.
    """
    path = uris.artifact_path(path)
    with followed(f"Uploading {local.name}", progress) as told:
        _put(store, list(_files_in(local, path)), told)


def read(store: ArtifactStore, path: str) -> bytes:
    """All of a file, which should be small.

    Raises:
        NotFound: There is no such file.
        InvalidInput: It is a folder.
        StoreError: It cannot be read to its end.
    """
    with store.open(path) as stream:
        try:
            return stream.read()
        except OSError as error:
            raise StoreError(f"Reading {path!r} failed: {error.strerror or error}.", hint="Try it again.") from error


def download(
    store: ArtifactStore, path: str, destination: Path | None = None, progress: Progress | None = None
) -> Path:
    """Bring a file or folder of a store to this machine.

    Without a destination, what a store on this machine has is not copied: the answer is its own place there, to be
    read only. Every file appears whole or not at all. Names that would lead out of the destination are refused,
    whatever the store lists.

    Args:
        store: Where from.
        path: A file or folder (``""``: everything).
        destination: The folder below which it arrives under its own artifact path; made if absent. By default a new
            temporary folder that only this user may enter; it is the caller's to remove.
        progress: As for ``upload``.

    Returns:
        The file or folder on this machine.

    Raises:
        NotFound: There is nothing at that path.
        StoreError: The store fails or lists impossible names.
        StoreFull: No space on this machine.
    """
    path = uris.artifact_path(path)
    if destination is not None:
        return _fetch(store, path, destination, progress)
    if (local := store.local_path(path)) is not None:
        return local
    own = Path(tempfile.mkdtemp(prefix="dovetail-"))
    try:
        return _fetch(store, path, own, progress)
    except BaseException:
        shutil.rmtree(own, ignore_errors=True)
        raise


# --- up -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _LocalFile:
    local: Path
    path: str
    size: int


def _put(store: ArtifactStore, files: Sequence[_LocalFile], progress: Progress | None) -> None:
    tally = _Tally(progress, len(files), sum(file.size for file in files))

    def put(file: _LocalFile) -> None:
        with _opened(file.local) as stream:
            store.put(file.path, _watched(stream, tally))
        tally.file()

    _each(put, files, tally)


def _files_in(local: Path, path: str) -> Iterator[_LocalFile]:
    """The file itself, or all files of a folder in the order of their paths."""
    waiting: list[tuple[Path, str, tuple[str, ...]]] = [(local, path, ())]
    while waiting:
        here, where, above = waiting.pop()
        if not here.is_dir():
            yield _checked(here, where)
            continue
        if (real := os.path.realpath(here)) in above:
            raise InvalidInput(f"{here} is a link to a folder above it.", hint="Remove the link; it has no end.")
        children = sorted(_children(here), reverse=True)
        waiting += [(child, _name_for(child, where), (*above, real)) for child in children]


def _name_for(local: Path, folder: str) -> str:
    return uris.artifact_path(f"{folder}/{local.name}".lstrip("/"), f"name of {local.parent}'s file")


def _children(folder: Path) -> list[Path]:
    try:
        return list(folder.iterdir())
    except OSError as error:
        raise StoreError(f"Cannot list {folder}: {error.strerror}.", hint="Ask for permission to read it.") from error


def _checked(local: Path, path: str) -> _LocalFile:
    if not local.exists():
        what = "is a link that leads nowhere" if local.is_symlink() else "does not exist"
        raise NotFound(f"{local} {what}.", hint="Give the path of a file or folder on this machine.")
    if not local.is_file():
        raise InvalidInput(f"{local} is neither a file nor a folder.", hint="Upload regular files only.")
    return _LocalFile(local, path, local.stat().st_size)


def _opened(local: Path) -> BinaryIO:
    try:
        return local.open("rb")
    except OSError as error:
        raise StoreError(f"Cannot read {local}: {error.strerror}.", hint="Ask for permission to read it.") from error


# --- down -----------------------------------------------------------------------------------------------------


def _fetch(store: ArtifactStore, path: str, destination: Path, progress: Progress | None) -> Path:
    target = destination / path if path else destination
    with followed(f"Downloading {posixpath.basename(path) or 'artifacts'}", progress) as told:
        files = list(_listed(store, path))
        if files or not path:
            _folder(target)
            _fetch_files(store, files, destination, told)
        else:
            _fetch_file(store, path, destination, _Tally(told, 1, None))
    return target


def _fetch_files(store: ArtifactStore, files: Sequence[FileInfo], destination: Path, progress: Progress | None) -> None:
    sizes = [info.file_size for info in files]
    tally = _Tally(progress, len(files), None if None in sizes else sum(size or 0 for size in sizes))
    _each(lambda info: _fetch_file(store, info.path, destination, tally), files, tally)


def _listed(store: ArtifactStore, path: str) -> Iterator[FileInfo]:
    """All files in a folder and below it."""
    folders = [path]
    while folders:
        folder = folders.pop()
        for info in store.list(folder):
            _refuse_stray(store, info.path, folder)
            if info.is_dir:
                folders.append(info.path)
            else:
                yield info


def _refuse_stray(store: ArtifactStore, path: str, folder: str) -> None:
    """What a store lists comes from elsewhere: a name could climb out of the folder it is listed in."""
    above, _, name = path.rpartition("/")
    with suppress(InvalidInput):
        if name and above == folder and uris.artifact_path(path) == path:
            return
    raise StoreError(
        f"The artifact store {uris.masked(store.uri)} lists {path!r} in the folder {folder!r}, where it cannot be.",
        hint="Do not trust what is in this store before somebody has looked into it.",
    )


def _fetch_file(store: ArtifactStore, path: str, destination: Path, tally: _Tally) -> None:
    target = destination / path
    with store.open(path) as stream:
        _folder(target.parent)
        partial = target.with_name(f".{os.urandom(8).hex()}.part")
        try:
            _write(partial, target, _watched(stream, tally))
        except BaseException:
            with suppress(OSError):  # it was not even made
                partial.unlink()
            raise
    tally.file()


def _write(partial: Path, target: Path, stream: BinaryIO) -> None:
    with _written(target):
        with partial.open("xb") as file:
            while block := stream.read(_BLOCK):
                file.write(block)
        partial.replace(target)


def _folder(path: Path) -> None:
    with _written(path):
        path.mkdir(parents=True, exist_ok=True)


@contextmanager
def _written(where: Path) -> Iterator[None]:
    """Say what this machine's disk does not allow; what the store raises goes through."""
    try:
        yield
    except OSError as error:
        message = f"Cannot write to {where}: {error.strerror}."
        if error.errno in _FULL:
            raise StoreFull(message, hint="Make room and try again.") from error
        kind = StoreReadOnly if error.errno in _READ_ONLY else StoreError
        raise kind(message, hint="Choose another destination.") from error


# --- many at once ---------------------------------------------------------------------------------------------


class _GivenUpError(Exception):
    """Another file failed, or somebody pressed Ctrl-C: this one is not finished."""


class _Tally:
    """Counts what is done, tells about it, and carries the word to stop."""

    def __init__(self, progress: Progress | None, all_files: int, all_size: int | None) -> None:
        self.stopped = threading.Event()
        self._progress = progress
        self._all_files, self._all_size = all_files, all_size
        self._files = self._size = 0
        self._lock = threading.Lock()

    def block(self, size: int) -> None:
        self._add(0, size)

    def file(self) -> None:
        self._add(1, 0)

    def _add(self, files: int, size: int) -> None:
        if self._progress is None:
            return
        with self._lock:
            self._files += files
            self._size += size
            self._progress(Transferred(self._files, self._all_files, self._size, self._all_size))


def _watched(stream: BinaryIO, tally: _Tally) -> BinaryIO:
    return cast("BinaryIO", _Watched(stream, tally))


class _Watched(io.BufferedIOBase):
    """A stream that counts what is read and ends with an error when the transfer is given up."""

    def __init__(self, stream: BinaryIO, tally: _Tally) -> None:
        self._stream = stream
        self._tally = tally

    def readable(self) -> bool:
        return True

    def read(self, size: int | None = -1, /) -> bytes:
        if self._tally.stopped.is_set():
            raise _GivenUpError
        block = self._stream.read(-1 if size is None else size)
        if block:
            self._tally.block(len(block))
        return block


def _each(work: Callable[[Item], None], items: Sequence[Item], tally: _Tally) -> None:
    """Do the work for every item, several at a time; the first failure, or Ctrl-C, stops the rest and is raised."""
    if len(items) <= 1:
        for item in items:
            work(item)
        return
    queue = iter(items)
    taking = threading.Lock()

    def take() -> Iterator[Item]:
        while not tally.stopped.is_set():
            with taking:
                item = next(queue, None)
            if item is None:
                return
            yield item

    def worker() -> None:
        for item in take():
            work(item)

    _together(worker, min(_THREADS, len(items)), tally)


def _together(worker: Callable[[], None], threads: int, tally: _Tally) -> None:
    pool = ThreadPoolExecutor(threads, thread_name_prefix="dovetail-transfer")
    try:
        futures = [pool.submit(worker) for _ in range(threads)]
        done, _ = wait(futures, return_when=FIRST_EXCEPTION)
        failed = [error for future in done if (error := future.exception()) is not None]
    finally:
        tally.stopped.set()
        pool.shutdown(wait=True)
    # One that was given up says nothing about why.
    for error in sorted(failed, key=lambda error: isinstance(error, _GivenUpError)):
        raise error
