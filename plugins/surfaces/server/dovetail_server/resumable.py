"""Uploads in parts: after a broken connection only what is missing is sent again."""

from __future__ import annotations

import errno
import io
import json
import re
import secrets
import shutil
import time
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO, cast

from dovetail import posix
from dovetail.errors import InvalidInput, NotFound, StoreError, StoreFull, StoreUnavailable
from dovetail_server.checksums import Expected
from dovetail_server.pipe import BLOCK

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from dovetail.artifacts.store import ArtifactStore

__all__ = ["MOST_PARTS", "Part", "Upload", "Uploads"]

MOST_PARTS = 10_000
KEPT = 24 * 60 * 60
"""Seconds after which an upload is given up that nobody goes on with."""
_ID = re.compile(r"[0-9a-f]{32}")
_RECORD, _LOCK, _DONE = "upload.json", "lock", "done"


@dataclass(frozen=True)
class Part:
    """A part that has arrived.

    Args:
        number: Its place among the parts, from 1 on.
        size: Its bytes.
    """

    number: int
    size: int


class Uploads:
    """The uploads in parts that were begun at a server.

    Each has a folder of its own, below one that only this user may enter, and never among the artifacts: nobody sees
    anything of a file before it is whole.

    Args:
        folder: The folder of all of them.
        root: The URI of the artifacts that they go to.
    """

    def __init__(self, folder: Path, root: str) -> None:
        self._folder, self._root = folder, root

    def begin(self, path: str, size: int | None = None, sha256: str | None = None) -> Upload:
        """Begin one; those that nobody went on with for a day are given up.

        Args:
            path: The artifact path of the file.
            size: Its bytes, where they are known.
            sha256: Its digest in hexadecimal digits, where that is known.
        """
        with _own_disk():
            posix.private_folder(self._folder)
            self._sweep()
            folder = self._folder / secrets.token_hex(16)
            folder.mkdir(mode=0o700)
            record = {"root": self._root, "path": path, "size": size, "sha256": sha256}
            try:
                (folder / _RECORD).write_text(json.dumps(record), encoding="utf-8")
            except BaseException:
                (folder / _RECORD).unlink(missing_ok=True)
                folder.rmdir()
                raise
        return Upload(folder, record)

    def find(self, upload_id: str, path: str) -> Upload:
        """One that was begun.

        Raises:
            NotFound: There is none of that id, or it is one of another file.
        """
        folder = self._folder / upload_id
        with suppress(FileNotFoundError, ValueError), _own_disk():
            record = json.loads((folder / _RECORD).read_text(encoding="utf-8")) if _ID.fullmatch(upload_id) else {}
            if record.get("root") == self._root and record.get("path") == path:
                return Upload(folder, record)
        raise NotFound(f"There is no upload {upload_id!r:.60} of {path!r}.", hint="Begin a new one.")

    def _sweep(self) -> None:
        for folder in self._folder.iterdir():
            with suppress(FileNotFoundError):  # somebody else swept it
                if time.time() - folder.stat().st_mtime > KEPT:
                    shutil.rmtree(folder)


class Upload:
    """One upload.

    Args:
        folder: Where its parts are kept.
        record: What was said when it was begun.
    """

    def __init__(self, folder: Path, record: dict[str, Any]) -> None:
        self._folder, self._record = folder, record
        self.upload_id, self.path = folder.name, str(record["path"])

    @property
    def state(self) -> str:
        """``open``, ``completing`` while the parts are put together, or ``done``."""
        if (self._folder / _DONE).exists():
            return "done"
        with _own_disk():
            try:
                with posix.locked(self._folder / _LOCK, timeout=0, create=False):
                    return "open"
            except TimeoutError:
                return "completing"
            except FileNotFoundError:  # nobody has tried
                return "open"

    def parts(self) -> list[Part]:
        """The parts that have arrived, in order."""
        with self._there():
            found = [each for each in self._folder.iterdir() if each.name.isdecimal()]
            return sorted((Part(int(each.name), each.stat().st_size) for each in found), key=lambda part: part.number)

    def put(self, number: int, stream: BinaryIO) -> None:
        """Keep a part; one of that number is replaced.

        Raises:
            StoreFull: There is no space for it.
        """
        coming = self._folder / f"{secrets.token_hex(8)}.coming"
        try:
            with self._there():
                with coming.open("xb") as file:
                    while block := stream.read(BLOCK):
                        file.write(block)
                coming.replace(self._folder / str(number))
        except BaseException:
            coming.unlink(missing_ok=True)
            raise

    def complete(self, store: ArtifactStore, count: int, size: int | None, sha256: str | None) -> None:
        """Put the parts together in the place of the file, as a whole or not at all; a second time nothing happens.

        Args:
            store: Where the file goes to.
            count: How many parts it has.
            size: Its bytes, if that is known by now.
            sha256: Its digest, if that is known by now.

        Raises:
            InvalidInput: A part is missing, or it is not what was to arrive.
            StoreUnavailable: It is being put together already.
        """
        if self.state == "done":
            return
        with self._there(), self._completing():
            files = [self._folder / str(part.number) for part in self._checked(count)]
            store.put(self.path, cast("BinaryIO", _Joined(files, self._expected(size, sha256))))
            (self._folder / _DONE).touch()
            for file in files:
                file.unlink(missing_ok=True)

    def abort(self) -> None:
        """Give it up."""
        with _own_disk():
            # Without it nobody goes on; parts that cannot be removed now are swept later.
            (self._folder / _RECORD).unlink(missing_ok=True)
        shutil.rmtree(self._folder, ignore_errors=True)

    # --- steps -----------------------------------------------------------------------------------------------

    def _checked(self, count: int) -> list[Part]:
        parts = self.parts()
        there = {part.number for part in parts}
        if missing := [number for number in range(1, count + 1) if number not in there]:
            shown = ", ".join(map(str, missing[:10])) + (", …" if len(missing) > 10 else "")  # noqa: PLR2004
            raise InvalidInput(f"The parts {shown} of {self.path!r} are missing.", hint="Send them.")
        if len(parts) != count:
            raise InvalidInput(f"{self.path!r} has {len(parts)} parts, not {count}.", hint="Begin a new upload.")
        return parts

    def _expected(self, size: int | None, sha256: str | None) -> Expected:
        given = {each for each in (self._record["sha256"], sha256) if each}
        sizes = {each for each in (self._record["size"], size) if each is not None}
        if len(given) > 1 or len(sizes) > 1:
            raise InvalidInput(f"{self.path!r} was to have another size or digest.", hint="Begin a new upload.")
        return Expected(next(iter(sizes), None), [("sha-256", bytes.fromhex(each)) for each in given])

    @contextmanager
    def _completing(self) -> Iterator[None]:
        with ExitStack() as held:
            try:
                held.enter_context(posix.locked(self._folder / _LOCK, timeout=0))
            except TimeoutError as error:
                message = f"{self.path!r} is being put together."
                raise StoreUnavailable(message, hint="Wait until that is done.") from error
            yield

    @contextmanager
    def _there(self) -> Iterator[None]:
        try:
            with _own_disk():
                yield
        except FileNotFoundError as error:
            raise NotFound(f"The upload of {self.path!r} was given up.", hint="Begin a new one.") from error


class _Joined(io.BufferedIOBase):
    """Files, one behind the other, as one stream."""

    def __init__(self, files: list[Path], expected: Expected) -> None:
        self._files, self._expected = iter(files), expected
        self._file: BinaryIO = io.BytesIO()

    def readable(self) -> bool:
        return True

    def read(self, size: int | None = -1, /) -> bytes:
        if size is None or size < 0:
            return b"".join(iter(lambda: self.read(BLOCK), b""))
        while not (block := self._file.read(size)):
            self._file.close()
            if (file := next(self._files, None)) is None:
                self._expected.confirm()
                return b""
            self._file = self._opened(file)
        self._expected.update(block)
        return block

    def _opened(self, file: Path) -> BinaryIO:
        try:
            return file.open("rb")
        except FileNotFoundError as error:
            raise NotFound("The upload was given up meanwhile.", hint="Begin a new one.") from error

    def close(self) -> None:
        self._file.close()
        super().close()


@contextmanager
def _own_disk() -> Iterator[None]:
    """Trouble of the disk that parts are kept on, as an error of dovetail's."""
    try:
        yield
    except FileNotFoundError:
        raise
    except OSError as error:
        message = f"The server cannot keep a part of an upload: {error.strerror}."
        if error.errno in (errno.EMFILE, errno.ENFILE):
            raise StoreUnavailable(message, hint="Try again in a moment.") from error
        if error.errno in (errno.ENOSPC, errno.EFBIG, errno.EDQUOT):
            raise StoreFull(message, hint="Make room where DOVETAIL_STATE_DIR is.") from error
        raise StoreError(message, hint="DOVETAIL_STATE_DIR is where it keeps them.") from error
