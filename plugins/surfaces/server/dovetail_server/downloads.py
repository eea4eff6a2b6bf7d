"""A file of a store, on its way to a client."""

from __future__ import annotations

import asyncio
import io
import mimetypes
import os
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, BinaryIO
from urllib.parse import quote

from dovetail.errors import StoreError
from dovetail_server.patience import Stopping
from dovetail_server.pipe import BLOCK, PATIENCE, Stalled
from dovetail_server.ranges import BeyondTheEnd, part_of
from dovetail_server.routing.answer import Answer, failure
from dovetail_server.threads import handed_over

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from concurrent.futures import Executor

    from dovetail.artifacts.store import ArtifactStore
    from dovetail_server.routing.asked import Asked

__all__ = ["sent"]

_PLAIN = (".yaml", ".yml", ".toml", ".ini", ".cfg", ".log", ".lock", ".jsonl", ".md", ".rst", "MLmodel", "MLproject")
_ACTIVE = ("html", "xml", "svg", "javascript", "ecmascript")  # what a browser would carry out, or look into for that
_SANDBOX = (b"content-security-policy", b"sandbox; default-src 'none'")
_FALLBACK = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._- ")

Headers = list[tuple[bytes, bytes]]


async def sent(
    asked: Asked,
    find: Callable[[], tuple[ArtifactStore, str]],
    receive: Callable[[], Awaitable[Any]],
    sending: Any,
    pool: Executor,
) -> Answer | None:
    """Send a file, or the part that is asked for, as an attachment.

    Files of this machine have a strong ETag: their place on disk, time and size, which change when they are replaced.
    There is no ``Repr-Digest``: to know it, each file would have to be read twice.

    Args:
        asked: The request.
        find: Gives the store and the path in it, in a thread.
        receive: ASGI's.
        sending: The way to the client.
        pool: Threads for short work.

    Returns:
        The answer, where it is short; None where it is sent already.

    Raises:
        NotFound: There is no such file.
        InvalidInput: It is a folder.
        StoreError: The file ends early, or the server does; what was sent is then cut off, so that the client notices.
    """
    found = await handed_over(pool, partial(_begun, asked, find))
    if isinstance(found, Answer):
        return found
    try:
        await sending.begin(found.status, found.headers_with_length)
        await (sending.piece(b"", last=True) if asked.verb == "HEAD" else _send(found, receive, sending, pool))
    finally:
        try:
            await handed_over(pool, found.stream.close)
        except Stopping:
            found.stream.close()
    return None


@dataclass
class _Passage:
    """What is sent of an open file; ``left`` is None where its length is not known."""

    stream: BinaryIO
    status: int
    headers: Headers
    left: int | None

    @property
    def headers_with_length(self) -> Headers:
        """All headers of an answer that comes in pieces; without a length it ends where the pieces do."""
        length = [] if self.left is None else [(b"content-length", str(self.left).encode())]
        return [*self.headers, *length]

    def next(self) -> tuple[bytes, bool]:
        """The next block, and whether it is the last one."""
        block = self.stream.read(BLOCK if self.left is None else min(BLOCK, self.left))
        if self.left is None:
            return block, not block
        self.left -= len(block)
        if not block and self.left:
            raise StoreError(f"The file ends {self.left} bytes early.", hint="Download it again.")
        return block, not self.left


# --- what is to be sent ---------------------------------------------------------------------------------------


def _begun(asked: Asked, find: Callable[[], tuple[ArtifactStore, str]]) -> Answer | _Passage:
    store, path = find()
    stream = store.open(path)
    try:
        found = _passage(asked, stream, path.rpartition("/")[2])
    except BaseException:
        stream.close()
        raise
    if not isinstance(found, _Passage):
        stream.close()
    elif asked.verb != "HEAD" and found.left is not None and found.left <= BLOCK:
        with stream:  # one visit in a thread is enough
            return Answer(found.status, found.next()[0], found.headers)
    return found


def _passage(asked: Asked, stream: BinaryIO, name: str) -> Answer | _Passage:
    size, mark = _size_and_mark(stream)
    headers = _headers(name, mark)
    if size is None:
        return _Passage(stream, 200, headers, None)
    headers.append((b"accept-ranges", b"bytes"))
    if mark is not None and mark in asked.headers.get("if-none-match", ""):
        return Answer(304, b"", headers)
    try:
        part = part_of(_range(asked, mark), size)
    except BeyondTheEnd as error:
        refusal = failure(error)
        refusal.headers = [*refusal.headers, (b"content-range", f"bytes */{size}".encode())]
        return refusal
    if part is None:
        return _Passage(stream, 200, headers, size)
    begin, length = part
    stream.seek(begin)
    headers.append((b"content-range", f"bytes {begin}-{begin + length - 1}/{size}".encode()))
    return _Passage(stream, 206, headers, length)


def _range(asked: Asked, mark: str | None) -> str:
    """The part that is wanted, if the file is still the one that the client knows."""
    if asked.verb == "HEAD" or asked.headers.get("if-range", mark) != mark:
        return ""
    return asked.headers.get("range", "")


def _size_and_mark(stream: BinaryIO) -> tuple[int | None, str | None]:
    try:
        found = os.fstat(stream.fileno())
    except (OSError, AttributeError):  # no file of this machine
        return _size(stream), None
    return found.st_size, f'"{found.st_ino:x}-{found.st_mtime_ns:x}-{found.st_size:x}"'


def _size(stream: BinaryIO) -> int | None:
    if not stream.seekable():
        return None
    size = stream.seek(0, io.SEEK_END)
    stream.seek(0)
    return size


def _headers(name: str, mark: str | None) -> Headers:
    fallback = "".join(letter if letter in _FALLBACK else "_" for letter in name)
    disposition = f"attachment; filename=\"{fallback}\"; filename*=UTF-8''{quote(name, safe='')}"
    headers = [
        (b"content-type", _type(name).encode()),
        (b"content-disposition", disposition.encode()),
        (b"cache-control", b"no-cache"),
        _SANDBOX,
    ]
    return headers if mark is None else [*headers, (b"etag", mark.encode())]


def _type(name: str) -> str:
    if name.endswith(_PLAIN):
        return "text/plain"
    found, encoding = mimetypes.guess_type(name)
    if found is None or encoding is not None:
        return "application/octet-stream"
    return "text/plain" if any(word in found for word in _ACTIVE) else found


# --- sending it -----------------------------------------------------------------------------------------------


async def _send(passage: _Passage, receive: Callable[[], Awaitable[Any]], sending: Any, pool: Executor) -> None:
    gone = asyncio.ensure_future(_until_gone(receive))
    # While one block goes out the next one is read.
    ahead = handed_over(pool, passage.next)
    try:
        is_last = False
        while not is_last and not gone.done():
            block, is_last = await ahead
            if not is_last:
                ahead = handed_over(pool, passage.next)
            await asyncio.wait_for(sending.piece(block, last=is_last), PATIENCE)
    except asyncio.TimeoutError as error:
        raise Stalled(f"The client took less than {BLOCK >> 20} MB in {PATIENCE:.0f} seconds.") from error
    finally:
        gone.cancel()
        await asyncio.gather(ahead, return_exceptions=True)  # nobody may close the file under the thread


async def _until_gone(receive: Callable[[], Awaitable[Any]]) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
