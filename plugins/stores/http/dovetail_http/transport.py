"""Requests to a server and its answers: the one place where this plugin talks to the network."""

from __future__ import annotations

import gzip
import json
import os
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar
from urllib.parse import urlencode

from urllib3 import exceptions as http
from urllib3.util import Retry

from dovetail import __version__, plugins
from dovetail.errors import InvalidInput, StoreUnavailable
from dovetail.wire.failures import load_failure
from dovetail_http.address import address_of
from dovetail_http.attempts import Attempts, Failed
from dovetail_http.connecting import is_direct, open_pool, speaks_tls, timeout
from dovetail_http.failures import (
    is_final,
    is_lost,
    is_unsent,
    is_unserved,
    moved,
    secured,
    unfit,
    unreached,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from urllib3 import BaseHTTPResponse, PoolManager

__all__ = ["Transport"]

_BUSY = {429: False, 502: True, 503: False, 504: True}
"""Statuses after which it may be tried again, and whether the server may have done it all the same."""
_NOTHING = (404, 405, 501)
_MOST_OF_A_FAILURE = 1 << 16
_IDLE = 30.0  # seconds after which what is in between may have forgotten a connection, without a word
_MOMENT = 1.0
_WORTH_PACKING = 4096
Result = TypeVar("Result")


class _Connections(NamedTuple):
    pid: int
    pool: PoolManager


class Transport:
    """Sends requests to one server and reads the answers. Threads may share one; a forked child begins anew.

    What cannot be reached, or says that it is busy, is tried again for ``http_retry_seconds``: anything, where not even
    a connection came about; what was sent only where doing it twice is the same as doing it once. Redirects are not
    followed, since passwords are for the server that they were given for.

    Args:
        uri: ``http://host:port`` or ``https://…``, maybe with a path that everything there begins with.

    Raises:
        InvalidUri: It has another form.

    Attributes:
        address: Where the server is.
        packs: Whether the server takes bodies in gzip.
    """

    def __init__(self, uri: str) -> None:
        self.address = address_of(uri)
        self.packs = False
        self._connections: _Connections | None = None
        self._used = 0.0
        self._in_vain = -_MOMENT
        self._fits = False  # how it is spoken to

    @property
    def uri(self) -> str:
        """The address as it was given, maybe with a password in it."""
        return self.address.uri

    def call(
        self,
        verb: str,
        path: str,
        data: Any = None,
        *,
        query: Mapping[str, Any] | None = None,
        again: bool = False,
        attempts: Attempts | None = None,
    ) -> Any:
        """Send a request with JSON, and return what is answered in JSON; None for an empty answer.

        Args:
            verb: ``GET``, ``POST``, …
            path: What stands behind the server's address, such as ``/api/2.0/mlflow/runs/get``.
            data: What the body says; None for no body.
            query: What stands behind the ``?``: lists are given several times, what is None is left out.
            again: Whether doing it twice is the same as doing it once.
            attempts: To be asked afterwards how it went; says instead of ``again`` whether it may be repeated.

        Raises:
            DovetailError: What the server says is wrong, as the class it names.
            StoreUnavailable: The server could not be reached, or was busy all the time.
            StoreError: Its answer cannot be read, or nobody knows whether it did what it was asked for.
            InvalidInput: The body holds what JSON cannot.
        """
        headers = {"Accept": "application/json", "Accept-Encoding": "gzip"}
        body = None if data is None else _dumped(data)
        if body is not None:
            headers["Content-Type"] = "application/json"
            if self.packs and len(body) > _WORTH_PACKING:
                body, headers["Content-Encoding"] = gzip.compress(body, compresslevel=1), "gzip"
        url = path + _query(query)

        def attempt(patience: float) -> bytes:
            return bytes(self._attempt(verb, url, body, headers, patience, self._whole))

        return _parsed(self._tried(attempts or Attempts(again), attempt))

    def get(self, path: str, query: Mapping[str, Any] | None = None) -> Any:
        """Ask for something, see ``call``."""
        return self.call("GET", path, query=query, again=True)

    def post(self, path: str, body: Any = None, *, again: bool = False) -> Any:
        """Have something done, see ``call``."""
        return self.call("POST", path, body, again=again)

    def patch(self, path: str, body: Any = None, *, again: bool = False) -> Any:
        """Have something changed, see ``call``."""
        return self.call("PATCH", path, body, again=again)

    def delete(self, path: str, body: Any = None, *, again: bool = False) -> Any:
        """Have something removed, see ``call``."""
        return self.call("DELETE", path, body, again=again)

    def look(self, path: str) -> Any:
        """What is at a path: what its JSON says, or its text; None if there is nothing.

        Raises:
            DovetailError: As ``call``.
        """
        headers = {"Accept": "application/json"}

        def attempt(patience: float) -> Any:
            return self._attempt("GET", path, None, headers, patience, self._whatever)

        return self._tried(Attempts(again=True), attempt)

    def open(
        self,
        verb: str,
        path: str,
        body: Any = None,
        *,
        headers: Mapping[str, str] | None = None,
        query: Mapping[str, Any] | None = None,
        again: bool = False,
    ) -> BaseHTTPResponse:
        """Send a request, and return the answer of which nothing is read yet.

        Whoever reads it closes it in the end; what goes wrong meanwhile, urllib3 raises. The connection serves again
        where all was read, or ``drain_conn`` has thrown away the rest.

        Args:
            verb: ``GET``, ``PUT``, …
            path: What stands behind the server's address, percent-encoded.
            body: Bytes, or what can be read in pieces, which goes out once.
            headers: What is sent along.
            query: As for ``call``.
            again: Whether doing it twice is the same as doing it once; only for bodies that are bytes.

        Raises:
            DovetailError: As ``call``.
        """
        url = path + _query(query)

        def attempt(patience: float) -> BaseHTTPResponse:
            return self._attempt(verb, url, body, headers or {}, patience, self._successful)

        return self._tried(Attempts(again), attempt)

    def close(self) -> None:
        """Let go of the connections."""
        connections, self._connections = self._connections, None
        if connections is not None and connections.pid == os.getpid():
            connections.pool.clear()

    # --- attempts --------------------------------------------------------------------------------------------

    def _tried(self, attempts: Attempts, attempt: Callable[[float], Result]) -> Result:
        """What attempts come to; who was tried in vain until a moment ago is tried once, not as long all over again."""
        try:
            return attempts.at(attempt, 0 if time.monotonic() - self._in_vain < _MOMENT else None)
        except StoreUnavailable as failure:
            if isinstance(failure.__cause__, http.HTTPError) and is_unsent(failure.__cause__):
                self._in_vain = time.monotonic()
            raise

    def _attempt(
        self,
        verb: str,
        url: str,
        body: Any,
        headers: Mapping[str, str],
        patience: float,
        read: Callable[[BaseHTTPResponse], Result],
    ) -> Result:
        pool, base = self._pool(), self.address.base
        try:
            response = pool.urlopen(
                verb,
                base + url,
                body=body,
                headers=self._headers(headers),
                timeout=timeout(patience),
                retries=False,
                redirect=False,
                preload_content=False,
            )
            self._fits = True
            return read(response)
        except http.HTTPError as error:
            failure, sent = unreached(error, base), not is_unsent(error)
            if is_lost(error) and self._is_mistaken():
                raise secured(base) from error
            if is_final(error) or not isinstance(failure, StoreUnavailable):  # another time would be the same
                raise failure from error
            raise Failed(failure, sent=sent, doubtful=sent) from error
        except ValueError:
            raise unfit() from None

    def _is_mistaken(self) -> bool:
        """Whether a server that never gave an answer in plain HTTP speaks TLS; looked at once."""
        if self._fits or self.address.secure or not is_direct(self.address):
            return False
        self._fits = True
        with suppress(OSError):  # it is gone by now
            self._fits = not speaks_tls(self.address, _MOMENT)
        return not self._fits

    def _whole(self, response: BaseHTTPResponse) -> bytes:
        return self._successful(response).data

    def _whatever(self, response: BaseHTTPResponse) -> Any:
        if response.status not in _NOTHING:
            return _json_or_text(self._whole(response))
        response.close()
        return None

    def _successful(self, response: BaseHTTPResponse) -> BaseHTTPResponse:
        if response.status < 300:  # noqa: PLR2004 - HTTP's
            return response
        text = response.read(_MOST_OF_A_FAILURE, decode_content=True)
        response.close()  # one of which all was read is in the pool by now
        if response.status < 400:  # noqa: PLR2004 - HTTP's
            raise moved(response, self.address.base)
        failure = load_failure(response.status, _json_or_text(text))
        if response.status in _BUSY and not is_unserved(failure):
            place, after = self.address.base, _retry_after(response)
            raise Failed(failure, sent=True, doubtful=_BUSY[response.status], after=after, place=place)
        raise failure

    # --- connections and headers -----------------------------------------------------------------------------

    def _pool(self) -> PoolManager:
        connections, now = self._connections, time.monotonic()
        if connections is None or connections.pid != os.getpid():
            # What a forked child inherits is its parent's.
            connections = self._connections = _Connections(os.getpid(), open_pool(self.address))
        elif now - self._used > _IDLE:
            connections.pool.clear()
        self._used = now
        return connections.pool

    def _headers(self, own: Mapping[str, str]) -> dict[str, str]:
        headers = {"User-Agent": f"dovetail/{__version__}", **own}
        if (authorization := self.address.authorization()) is not None:
            headers["Authorization"] = authorization
        for added in plugins.collect("dovetail_request_headers", uri=self.address.base):
            for name, value in added.items():
                headers.pop(next((each for each in headers if each.lower() == name.lower()), name), None)
                headers[name] = value
        return headers


def _dumped(data: Any) -> bytes:
    try:
        return json.dumps(data, separators=(",", ":"), allow_nan=False).encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidInput(f"A request cannot be sent: {error}.") from error


def _parsed(data: bytes) -> Any:
    """What an answer says; a page that something else made up says nothing."""
    try:
        return json.loads(data) if data else None
    except (ValueError, RecursionError):
        raise load_failure(200, _json_or_text(data[:_MOST_OF_A_FAILURE])) from None


def _json_or_text(data: bytes) -> Any:
    try:
        return json.loads(data)
    except (ValueError, RecursionError):
        return data.decode("utf-8", "replace")


def _query(query: Mapping[str, Any] | None) -> str:
    given = {name: value for name, value in (query or {}).items() if value is not None}
    return f"?{urlencode(given, doseq=True)}" if given else ""


def _retry_after(response: BaseHTTPResponse) -> float | None:
    try:
        return Retry().get_retry_after(response)
    except (http.InvalidHeader, ValueError):
        return None
