"""Files on their way to a server: small ones in one request, large ones in parts that are sent until they arrive."""

from __future__ import annotations

import time
from base64 import b64encode
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from contextlib import suppress
from hashlib import sha256
from typing import TYPE_CHECKING, BinaryIO
from urllib.parse import quote

from dovetail.errors import DovetailError, StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from concurrent.futures import Future

    from dovetail_http.transport import Transport

__all__ = ["PART", "filled", "put_in_parts", "put_stream", "put_whole"]

PART = 4 << 20
"""Bytes of a part; what is smaller is sent in one request."""
_DOUBLED = 1000  # parts after which parts become twice as large: there may be ten thousand
_LARGEST = 64 << 20
_PARALLEL = 4
_PAUSE = 1.0
_UPLOADS = "/api/dovetail/1/uploads"


def filled(stream: BinaryIO, size: int) -> bytearray:
    """So many bytes of a stream, however few it gives at a time; fewer at its end."""
    found = bytearray()
    while len(found) < size and (block := stream.read(min(size - len(found), 1 << 20))):
        found += block
    return found


def put_whole(transport: Transport, path: str, content: bytes | bytearray) -> None:
    """Send a small file in one request.

    Args:
        transport: The way to the server.
        path: What stands behind the server's address.
        content: All of the file.
    """
    headers = {"Content-Type": "application/octet-stream", "Repr-Digest": _digest(content)}
    transport.open("PUT", path, content, headers=headers, again=True).drain_conn()


def put_stream(transport: Transport, path: str, first: bytes | bytearray, stream: BinaryIO) -> None:
    """Send a file in one request of unknown length.

    Args:
        transport: The way to the server.
        path: What stands behind the server's address.
        first: The beginning of the file.
        stream: The rest; where it fails the server is left without the file, and the failure is raised as it is.
    """
    body = _Body(first, stream)
    try:
        headers = {"Content-Type": "application/octet-stream"}
        transport.open("PUT", path, iter(body), headers=headers).drain_conn()
    except Exception as error:
        if body.failure is not None and error is not body.failure:
            raise body.failure from None
        raise


class _Body:
    """The pieces of a body, which remembers why there are no more."""

    def __init__(self, first: bytes | bytearray, stream: BinaryIO) -> None:
        self._first, self._stream = first, stream
        self.failure: BaseException | None = None

    def __iter__(self) -> Iterator[bytes | bytearray]:
        try:
            yield self._first
            while block := self._stream.read(1 << 20):
                yield block
        except GeneratorExit:
            raise
        except BaseException as error:
            self.failure = error
            raise


# --- in parts -------------------------------------------------------------------------------------------------


def put_in_parts(transport: Transport, path: str, first: bytes | bytearray, stream: BinaryIO) -> None:
    """Send a large file to a server of dovetail's: several parts at the same time, and again those that get lost.

    Args:
        transport: The way to the server.
        path: The artifact path of the file at the server.
        first: The first part.
        stream: The rest; where it fails the server is left without the file, and the failure is raised as it is.
    """
    upload = _Upload(transport, path)
    pool = ThreadPoolExecutor(_PARALLEL, thread_name_prefix="dovetail-upload")
    try:
        upload.send(pool, first, stream)
        upload.complete()
    except BaseException:
        pool.shutdown(cancel_futures=True)
        upload.abort()
        raise
    finally:
        pool.shutdown()


class _Upload:
    """An upload in parts that has been begun.

    Args:
        transport: The way to the server.
        path: The artifact path of the file at the server.
    """

    def __init__(self, transport: Transport, path: str) -> None:
        self._transport, self._path = transport, path
        begun = transport.post(_UPLOADS, {"path": path}, again=True)
        self._place = f"{_UPLOADS}/{quote(str(begun['upload_id']), safe='')}"
        self._count = self._size = 0

    def send(self, pool: ThreadPoolExecutor, first: bytes | bytearray, stream: BinaryIO) -> None:
        """Send all parts; no more of them are in memory than are on their way."""
        part = first
        under_way: set[Future[None]] = set()
        while part:
            under_way = _with_room(under_way)
            self._count, self._size = self._count + 1, self._size + len(part)
            under_way.add(pool.submit(self._put, self._count, part))
            part = filled(stream, _size_of(self._count + 1))
        for each in under_way:
            each.result()

    def _put(self, number: int, part: bytes | bytearray) -> None:
        headers = {"Content-Type": "application/octet-stream", "Repr-Digest": _digest(part)}
        query, place = {"path": self._path}, f"{self._place}/parts/{number}"
        self._transport.open("PUT", place, part, headers=headers, query=query, again=True).drain_conn()

    def complete(self) -> None:
        """Have the parts put together; where that takes longer than a request may, wait for it."""
        try:
            data = {"path": self._path, "parts": self._count, "size": self._size}
            self._transport.post(f"{self._place}/complete", data, again=True)
        except StoreUnavailable:
            while (state := self._state()) == "completing":
                time.sleep(_PAUSE)
            if state != "done":
                raise

    def _state(self) -> str:
        return str(self._transport.get(self._place, {"path": self._path})["state"])

    def abort(self) -> None:
        """Give it up; a server that cannot be told sweeps it after a day."""
        with suppress(DovetailError):
            self._transport.delete(self._place, {"path": self._path}, again=True)


def _with_room(under_way: set[Future[None]]) -> set[Future[None]]:
    """Those that are still under way, when one more may be."""
    while len(under_way) >= _PARALLEL:
        done, under_way = wait(under_way, return_when=FIRST_COMPLETED)
        for each in done:
            each.result()
    return under_way


def _size_of(number: int) -> int:
    """The bytes of a part."""
    return int(min(PART << ((number - 1) // _DOUBLED), _LARGEST))


def _digest(content: bytes | bytearray) -> str:
    return f"sha-256=:{b64encode(sha256(content).digest()).decode()}:"
