"""HTTP as uvicorn speaks it, with a shorter way for the requests that a server gets most of.

A request that has come in as a whole, and whose answer waits for nothing but a commit, is handed to the application
straight away: without a task of its own, and without ASGI's messages. Everything else goes uvicorn's way, and so does
whatever is unusual: pipelined requests, pieces, ``Expect``, old versions of HTTP.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from dovetail_server.application import Application
from dovetail_server.joining import Joined

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Iterable

    from dovetail_server.routing.answer import Answer

__all__ = ["Protocol"]

_LINES = {each.value: f"HTTP/1.1 {each.value} {each.phrase}\r\n".encode() for each in HTTPStatus}
_VERBS = {b"GET": "GET", b"POST": "POST"}


class _Exchange:
    """A request that is answered promptly, as uvicorn sees it: it asks whether the answer is out yet.

    Attributes:
        response_complete: Whether it is.
        keep_alive: Whether the connection stays open behind it.
        disconnected: Whether the client has gone.
    """

    __slots__ = ("disconnected", "keep_alive", "message_event", "response_complete")

    def __init__(self) -> None:
        self.response_complete = self.disconnected = False
        self.keep_alive = True
        self.message_event = _NOBODY


class _Nobody:
    """Who waits for more of a request that is there as a whole."""

    def set(self) -> None:
        """Nothing to tell."""


_NOBODY = _Nobody()


class Protocol(HttpToolsProtocol):
    """One connection."""

    _held: list[bytes] | None = None
    """The body so far of a request that may be answered promptly, if it comes as a whole."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to speak."""
        super().connection_made(Joined(transport, self.loop.call_soon))  # type: ignore[arg-type]
        self._is_plain = isinstance(self.app, Application) and not self.access_log and not self.root_path

    def data_received(self, data: bytes) -> None:
        """Read what came; a request of which more has to come goes uvicorn's way."""
        super().data_received(data)
        if self._held is not None and not self.transport.is_closing():
            self._go_on()

    def on_headers_complete(self) -> None:
        """The head of a request is there."""
        cycle: Any = self.cycle
        if self._is_plain and (cycle is None or cycle.response_complete) and not self.expect_100_continue:
            self._held = []
        else:
            super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """More of its body is there."""
        if self._held is None:
            super().on_body(body)
        else:
            self._held.append(body)

    def on_message_complete(self) -> None:
        """All of it is there."""
        if self._held is not None:
            if self._is_answered(b"".join(self._held)):
                self._held = None
                return
            self._go_on()
        super().on_message_complete()

    # --- steps -----------------------------------------------------------------------------------------------

    def _go_on(self) -> None:
        """Let uvicorn have what was held back."""
        held, self._held = self._held, None
        super().on_headers_complete()
        for piece in held or ():
            super().on_body(piece)

    def _is_answered(self, body: bytes) -> bool:
        """Have a request answered promptly; False if that cannot be done."""
        parser, verb = self.parser, _VERBS.get(self.parser.get_method())
        if verb is None or parser.get_http_version() != "1.1" or not parser.should_keep_alive():
            return False
        path, _, query = self.url.partition(b"?")
        if parser.should_upgrade() or self.flow.write_paused or not path.startswith(b"/") or _is_odd(self.url):
            return False
        before: Any = self.cycle
        exchange: Any = _Exchange()
        self.cycle = exchange

        def send(answer: Answer, always: Iterable[tuple[bytes, bytes]]) -> None:
            self._send(exchange, answer, always)

        application: Any = self.app
        if application.promptly(verb, (path.decode("ascii"), query), self.headers, body, send):
            return True
        self.cycle = before
        return False

    def _send(self, exchange: _Exchange, answer: Answer, always: Iterable[tuple[bytes, bytes]]) -> None:
        exchange.response_complete = True
        if exchange.disconnected or self.transport.is_closing():
            return
        self.transport.write(_written(answer, always, stays=exchange.keep_alive))
        if not exchange.keep_alive:
            self.transport.close()
        self.on_response_complete()


def _is_odd(url: bytes) -> bool:
    return b"%" in url or b"#" in url or not url.isascii()


def _written(answer: Answer, always: Iterable[tuple[bytes, bytes]], *, stays: bool) -> bytes:
    """An answer as it goes over the wire."""
    pieces = [_LINES[answer.status]]
    for name, value in (*answer.headers, *always):
        pieces += (name, b": ", value, b"\r\n")
    if not stays:
        pieces.append(b"connection: close\r\n")
    pieces += (b"content-length: %d\r\n\r\n" % len(answer.body), answer.body)
    return b"".join(pieces)
