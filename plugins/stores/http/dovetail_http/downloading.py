"""A file on a server as a stream, which goes on where it was when the connection breaks."""

from __future__ import annotations

import io
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, BinaryIO, Protocol, cast

from urllib3 import exceptions as http

from dovetail.errors import StoreError, StoreUnavailable
from dovetail_http.failures import unreached

if TYPE_CHECKING:
    from urllib3 import BaseHTTPResponse

    from dovetail_http.transport import Transport

__all__ = ["LARGE", "PART", "opened"]

LARGE = 64 << 20
"""Files that are larger come over several connections at the same time."""
PART = 4 << 20
_PARALLEL = 4
_BLOCK = 1 << 20
_AS_IT_IS = {"Accept-Encoding": "identity"}
_CUT = http.ProtocolError("the answer ended in the midst of its headers")
_TRIES = 5  # connections that may break, one after the other, without anything that came


def opened(transport: Transport, path: str) -> BinaryIO:
    """Open a file to read from.

    Where the server gives versions and parts of files, a connection that breaks is replaced by another one, which goes
    on where the first one was, and the stream can seek; elsewhere it fails.

    Args:
        transport: The way to the server.
        path: What stands behind the server's address.

    Raises:
        NotFound: There is no such file.
        InvalidInput: It is a folder.
        StoreError: The server fails, or cannot be reached.
    """
    file = _File(transport, path)
    return cast("BinaryIO", _Stream(file, file.begun()))


class _File:
    """A file on a server, of which the first answer tells the version and size.

    Args:
        transport: The way to the server.
        path: What stands behind the server's address.
    """

    def __init__(self, transport: Transport, path: str) -> None:
        self._transport, self._path = transport, path
        self.size: int | None = None
        self._version: str | None = None

    def begun(self) -> BaseHTTPResponse:
        """The file from its beginning, for the first time.

        Raises:
            StoreUnavailable: Nothing says how long it is, so that nobody could tell a part of it from the whole.
        """
        for _ in range(_TRIES):
            response = self._transport.open("GET", self._path, headers=_AS_IT_IS, again=True)
            if (length := response.headers.get("content-length", "")).isdecimal():
                self.size = int(length)
                self._version = _version(response)
                return response
            if response.headers.get("transfer-encoding") == "chunked":
                return response
            response.close()  # the connection broke in the midst of the headers, which is no error of HTTP's
        raise self.lost(_CUT)

    @property
    def has_parts(self) -> bool:
        """Whether any part of it can be had, and be known to be of the same version."""
        return self._version is not None and self.size is not None

    def part(self, begin: int, end: int) -> BaseHTTPResponse:
        """A part of it.

        Raises:
            StoreUnavailable: The file has become another one.
            ProtocolError: The answer is none to that.
        """
        headers = {**_AS_IT_IS, "Range": f"bytes={begin}-{end - 1}", "If-Range": self._version or ""}
        response = self._transport.open("GET", self._path, headers=headers, again=True)
        version, span = response.headers.get("etag"), response.headers.get("content-range")
        if version is not None and version != self._version:
            response.close()
            raise StoreUnavailable(f"{self._path} was replaced while it was read.", hint="Read it again.")
        if version is None or span != f"bytes {begin}-{end - 1}/{self.size}":
            response.close()
            raise _CUT
        return response

    def lost(self, error: Exception) -> StoreError:
        """What is raised where the rest cannot be had."""
        failure = unreached(error, self._transport.address.base)
        return StoreUnavailable(f"{self._path} was read only in part. {failure.message}", hint=failure.hint)


def _version(response: BaseHTTPResponse) -> str | None:
    """What changes with the file, where the server gives parts of it."""
    found = response.headers.get("etag")
    is_strong = found is not None and not found.startswith("W/")
    return found if is_strong and response.headers.get("accept-ranges") == "bytes" else None


class _Supply(Protocol):
    """What gives a file's bytes in order."""

    def read(self, size: int) -> bytes:
        """The next bytes; none at the end."""

    def close(self) -> None:
        """Let go of connections."""


class _Passage:
    """The bytes between two places of a file, over one connection at a time.

    Args:
        file: The file.
        begin: Where it begins.
        end: Where it ends; None where nobody knows.
        response: The answer that gives it, if there is one already.
    """

    def __init__(self, file: _File, begin: int, end: int | None, response: BaseHTTPResponse | None = None) -> None:
        self._file, self._at, self._end, self._response = file, begin, end, response
        self._tries = 0

    def read(self, size: int) -> bytes:
        """The next bytes; none at the end."""
        while self._end is None or self._at < self._end:
            left = size if self._end is None else min(size, self._end - self._at)
            try:
                data = self._answer().read(left, decode_content=False)
                if data or self._end is None:
                    self._at, self._tries = self._at + len(data), 0
                    return data
                self._try_again(http.ProtocolError("it ended early"))
            except http.HTTPError as error:
                self._try_again(error)
        self.close()
        return b""

    def _answer(self) -> BaseHTTPResponse:
        if self._response is None:
            self._response = self._file.part(self._at, cast("int", self._end))
        return self._response

    def _try_again(self, error: Exception) -> None:
        self._tries += 1
        if self._response is not None:
            self._response.close()
            self._response = None
        if not self._file.has_parts or self._tries >= _TRIES:
            raise self._file.lost(error) from error

    def close(self) -> None:
        """Give back the connection, or close it if something is left on it."""
        if (response := self._response) is not None:
            self._response = None
            response.release_conn() if self._at == self._end else response.close()


class _Ahead:
    """A large file from some place on, of which several parts come at the same time.

    Args:
        file: The file.
        begin: Where it begins.
    """

    def __init__(self, file: _File, begin: int) -> None:
        self._file, self._next = file, begin
        self._pool = ThreadPoolExecutor(_PARALLEL, thread_name_prefix="dovetail-download")
        self._coming: deque[Future[list[bytes]]] = deque()
        self._pieces: deque[bytes] = deque()

    def read(self, size: int) -> bytes:
        """The next bytes; none at the end."""
        while not self._pieces:
            self._order()
            if not self._coming:
                return b""
            self._pieces.extend(self._coming.popleft().result())
        piece = self._pieces.popleft()
        if len(piece) > size:
            self._pieces.appendleft(piece[size:])
        return piece[:size]

    def _order(self) -> None:
        size = cast("int", self._file.size)
        while len(self._coming) < _PARALLEL and self._next < size:
            end = min(self._next + PART, size)
            self._coming.append(self._pool.submit(self._fetched, self._next, end))
            self._next = end

    def _fetched(self, begin: int, end: int) -> list[bytes]:
        passage = _Passage(self._file, begin, end)
        try:
            return list(iter(lambda: passage.read(_BLOCK), b""))
        finally:
            passage.close()

    def close(self) -> None:
        """Order nothing more; what comes already is waited for."""
        self._pool.shutdown(cancel_futures=True)
        self._coming.clear()
        self._pieces.clear()


class _Stream(io.BufferedIOBase):
    """A file to read from.

    Args:
        file: The file.
        response: The answer that gives it from its beginning on.
    """

    def __init__(self, file: _File, response: BaseHTTPResponse) -> None:
        self._file, self._at = file, 0
        self._supply: _Supply = _Passage(file, 0, file.size, response)
        self._is_large = file.has_parts and cast("int", file.size) > LARGE

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return self._file.has_parts

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        if not self.seekable():
            raise io.UnsupportedOperation("The server gives no parts of files.")
        size = cast("int", self._file.size)
        at = max(offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: size}[whence], 0)
        if at != self._at:
            self._supply.close()
            self._supply, self._is_large, self._at = _Passage(self._file, at, size), False, at
        return at

    def read(self, size: int | None = -1, /) -> bytes:
        if size is None or size < 0:
            return b"".join(iter(lambda: self.read(_BLOCK), b""))
        if self._is_large and self._at >= PART:  # whoever only looks at the beginning needs no other connections
            self._supply.close()
            self._supply, self._is_large = _Ahead(self._file, self._at), False
        data = self._supply.read(size) if size else b""
        self._at += len(data)
        return data

    def read1(self, size: int = -1, /) -> bytes:
        return self.read(_BLOCK if size < 0 else size)

    def close(self) -> None:
        if not self.closed:
            self._supply.close()
        super().close()
