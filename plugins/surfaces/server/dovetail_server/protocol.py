"""HTTP as uvicorn speaks it, with a shorter way for the requests that a server gets most of.

A request that has come in as a whole, and whose answer waits for nothing but a commit, is handed to the application
straight away: without a task of its own, and without ASGI's messages. Everything else goes uvicorn's way, and so does
whatever is unusual: pipelined requests, pieces, ``Expect``, old versions of HTTP.

No client keeps a connection for nothing: one that sends or takes too little for too long, or a head without end, is
told so and sent away. Connections are looked at now and again, so that requests that come as a whole pay nothing.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from dovetail.errors import DovetailError, InvalidInput
from dovetail_server.application import Application
from dovetail_server.crowding import crowded, room
from dovetail_server.joining import Joined
from dovetail_server.patience import LINGER, Patience, Wait, late, stopping
from dovetail_server.routing.answer import failure
from dovetail_server.upgrades import Parser

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Iterable

    from dovetail_server.application import Head
    from dovetail_server.routing.answer import Answer

__all__ = ["LARGEST_HEAD", "MOST_HEADERS", "LargeHead", "Protocol"]

LARGEST_HEAD = 64 << 10
"""Bytes that the head of a request may have."""
MOST_HEADERS = 100

_LINES = {each.value: f"HTTP/1.1 {each.value} {each.phrase}\r\n".encode() for each in HTTPStatus}
_VERBS = {b"GET": "GET", b"POST": "POST"}
_HEAD, _BODY = "head", "body"  # what a client still has to send of a request
_ENDING = 1.5  # seconds before uvicorn cuts short what is under way: clients are told first


class LargeHead(DovetailError):
    """The head of a request is larger than it may be."""

    status = 431
    error_code = "INVALID_PARAMETER_VALUE"


class _Exchange:
    """A request that is answered promptly, as uvicorn sees it: it asks whether the answer is out yet.

    Attributes:
        response_complete: Whether it is.
        keep_alive: Whether the connection stays open behind it.
        disconnected: Whether the client has gone.
    """

    __slots__ = ("disconnected", "keep_alive", "message_event", "response_complete")
    response_started = False

    def __init__(self) -> None:
        self.response_complete = self.disconnected = False
        self.keep_alive = True
        self.message_event = _NOBODY


class _Known(NamedTuple):
    """A request that was answered promptly.

    Args:
        raw: Its head, as it came.
        size: Bytes in all.
        head: Its head, read.
    """

    raw: bytes
    size: int
    head: Head


class _Nobody:
    """Who waits for more of a request that is there as a whole."""

    def set(self) -> None:
        """Nothing to tell."""


_NOBODY = _Nobody()


class Protocol(HttpToolsProtocol):
    """One connection."""

    _held: list[bytes] | None = None
    """The body so far of a request that may be answered promptly, if it comes as a whole."""
    _owed: str | None = _HEAD
    """What the client still has to send of a request; None between requests."""
    _came = 0  # bytes, in all
    _before = 0  # of them, before what is being read
    _told = _told_at_least = 0  # of them, when the application last heard of any
    _is_over = False  # nothing is read any more
    _refusal: DovetailError | None = None
    _timer: asyncio.TimerHandle | None = None
    _read: tuple[Head, int] | None = None
    """What was answered promptly of what is being read, and the size of its body."""
    _known: _Known | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to speak."""
        super().connection_made(Joined(transport, self.loop.call_soon))  # type: ignore[arg-type]
        self.parser: Parser = Parser(self)  # type: ignore[assignment]
        self._running: list[Any] = []  # requests that uvicorn answers
        self._is_plain = isinstance(self.app, Application) and not self.access_log and not self.root_path
        served, most = room()
        if len(self.connections) > most:
            self.transport.abort()
        elif len(self.connections) > served:
            self.app, self._is_plain = crowded, False
        self._patience = Patience()
        self._look()

    def connection_lost(self, exc: Exception | None) -> None:
        """End it."""
        if self._timer is not None:
            self._timer.cancel()
        for cycle in self._running:  # uvicorn tells the newest one alone
            cycle.disconnected = not cycle.response_complete
            cycle.message_event.set()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Read what came; a request of which more has to come goes uvicorn's way."""
        if self._is_over or self._is_same(data):
            return
        self._before, self._read = self._came, None
        self._came += len(data)
        super().data_received(data)
        if self._owed is not None:
            self._has_part()
        elif self._read is not None:
            self._remember(data)

    def on_message_begin(self) -> None:
        """A request begins."""
        super().on_message_begin()
        self._owed, self._told, self._told_at_least = _HEAD, self._before, self._came

    def on_headers_complete(self) -> None:
        """The head of a request is there."""
        if self.parser.wishes:
            return
        if len(self.headers) > MOST_HEADERS or (self._came - self._told > LARGEST_HEAD and self._is_large()):
            self._refusal = _large_head()
            raise self._refusal
        self._owed, self._told_at_least = _BODY, self._came
        self._head, self.headers = self.headers, []  # what comes behind the body counts for nothing
        cycle: Any = self.cycle
        if self._is_plain and (cycle is None or cycle.response_complete) and not self.expect_100_continue:
            self._held = []
        else:
            self._begin()

    def on_body(self, body: bytes) -> None:
        """More of its body is there."""
        self._told_at_least = self._came
        if self._held is None:
            super().on_body(body)
        else:
            self._held.append(body)

    def on_message_complete(self) -> None:
        """All of it is there."""
        if self.parser.wishes:
            return
        self._owed = None
        if self._held is not None:
            if self._is_answered(b"".join(self._held)):
                self._held = None
                return
            self._go_on()
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:
        """Refuse what cannot be read."""
        self._refuse(self._refusal or InvalidInput(msg))

    def _unsupported_upgrade_warning(self) -> None:
        """Read nothing behind a request to somebody else."""
        self._is_over, cycle = True, cast("Any", self.cycle)
        if cycle is not None and not cycle.response_complete:
            cycle.keep_alive = False
        else:
            self.transport.close()

    def shutdown(self) -> None:
        """The server ends: what is under way has some time left."""
        super().shutdown()
        if (grace := self.config.timeout_graceful_shutdown) is not None and not self._is_over:
            self._later(max(0.0, grace - _ENDING), self._end)

    # --- steps -----------------------------------------------------------------------------------------------

    def _begin(self) -> None:
        """Have uvicorn begin to answer."""
        super().on_headers_complete()
        self._running = [each for each in self._running if not each.response_complete] + [self.cycle]

    def _go_on(self) -> None:
        """Let uvicorn have what was held back."""
        held, self._held = self._held, None
        self._begin()
        for piece in held or ():
            super().on_body(piece)

    def _has_part(self) -> None:
        """Part of a request is there."""
        if self._held is not None and not self.transport.is_closing():
            self._go_on()
        if self._came - self._told_at_least > LARGEST_HEAD and not self._is_over:
            self._refuse(_large_head())

    def _is_large(self) -> bool:
        return len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers) > LARGEST_HEAD

    def _is_answered(self, body: bytes) -> bool:
        """Have a request answered promptly; False if that cannot be done."""
        parser, verb = self.parser, _VERBS.get(self.parser.get_method())
        if verb is None or parser.get_http_version() != "1.1" or not parser.should_keep_alive():
            return False
        path, _, query = self.url.partition(b"?")
        if parser.should_upgrade() or self.flow.write_paused or not path.startswith(b"/") or _is_odd(self.url):
            return False
        application: Any = self.app
        head = application.head(verb, (path.decode("ascii"), query), self._head)
        if head is None or not self._is_answered_by(head, body):
            return False
        self._read = None if "transfer-encoding" in head.headers else (head, len(body))
        return True

    def _is_answered_by(self, head: Head, body: bytes) -> bool:
        """The same of a request whose head is read."""
        before: Any = self.cycle
        exchange: Any = _Exchange()
        self.cycle = exchange

        def send(answer: Answer, always: Iterable[tuple[bytes, bytes]]) -> None:
            self._send(exchange, answer, always)

        application: Any = self.app
        if application.promptly(head, body, send):
            return True
        self.cycle = before
        return False

    # --- heads that come again -------------------------------------------------------------------------------

    def _remember(self, data: bytes) -> None:
        """Remember the head of the request that these bytes are, if they are one that was answered promptly."""
        if self._read is None or self._owed is not None or self._told != self._before:
            return
        (head, size), end = self._read, data.find(b"\r\n\r\n") + 4
        if len(data) - end == size:
            self._known = _Known(data[:end], len(data), head)

    def _is_same(self, data: bytes) -> bool:
        """Answer a request whose head is that of one before, to the byte: clients that log send little else.

        Nothing of it need be read again, and as its length is the same, too, these bytes are one request.
        """
        known, cycle = self._known, self.cycle
        if known is None or len(data) != known.size or not data.startswith(known.raw):
            return False
        if self._owed is not None or self.flow.write_paused or self.transport.is_closing():
            return False
        if cycle is not None and not cycle.response_complete:  # its answer is still to come, and goes first
            return False
        self._unset_keepalive_if_required()
        self._came += len(data)
        if self._is_answered_by(known.head, data[len(known.raw) :]):
            return True
        self._came -= len(data)
        return False

    def _send(self, exchange: _Exchange, answer: Answer, always: Iterable[tuple[bytes, bytes]]) -> None:
        exchange.response_complete = True
        if exchange.disconnected or self.transport.is_closing():
            return
        self.transport.write(_written(answer, always, stays=exchange.keep_alive))
        if not exchange.keep_alive:
            self.transport.close()
        self.on_response_complete()

    # --- clients that keep it waiting ------------------------------------------------------------------------

    def _look(self) -> None:
        """See whether the client is late, and look again."""
        self._later(self._patience.pause, self._look)
        wait = self._wait()
        if self._patience.is_over(wait) and wait is not None:
            self._send_away(wait.what)

    def _later(self, seconds: float, call: Callable[[], object]) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self.loop.call_later(seconds, call)

    def _wait(self) -> Wait | None:
        """What the client is waited for; None where it waits for us, or uvicorn sees to it."""
        if size := self.transport.get_write_buffer_size():
            return Wait("answer", self.scope, size)
        cycle: Any = self.cycle
        is_idle = cycle is None or cycle.response_complete
        if self._owed is _BODY:
            is_ours = self.flow.read_paused or (not is_idle and cycle.waiting_for_100_continue)
            return None if is_ours else Wait(_BODY, self.scope, self._came)
        if is_idle and (self._owed is _HEAD or self.timeout_keep_alive_task is None):
            return Wait(_HEAD, self.scope, 0)
        return None

    def _send_away(self, what: str) -> None:
        if what == "answer" or self.transport.is_closing():
            self.transport.abort()
        elif self._owed is None or not self._came:  # nothing has begun that could be answered
            self.transport.close()
        else:
            self._refuse(late(what))

    def _refuse(self, error: DovetailError) -> None:
        """Answer with an error, unless another answer is on its way, and end the connection."""
        self._is_over, cycle = True, cast("Any", self.cycle)
        is_known = self._owed is _BODY and self._held is None  # to the application
        self._held = None
        if not is_known and cycle is not None and not cycle.response_complete:
            cycle.keep_alive = False  # the request before this one is still answered
            return
        if is_known and (cycle.response_started or self.pipeline):
            self.transport.close()
        else:
            self._answer(error)
        if is_known:
            cycle.disconnected = True
            cycle.message_event.set()
        self._later(LINGER, self.transport.abort)

    def _answer(self, error: DovetailError) -> None:
        """Answer at once, and read on for a moment: a client that is cut off while it sends does not see the answer."""
        answer = failure(error)
        self.transport.write(_written(answer, (), stays=False))
        if isinstance(self.app, Application):
            self.app.site.measures.note(None, answer.status, 0.0)
        if self.transport.can_write_eof():
            self.flow.resume_reading()
            self.transport.write_eof()
        else:
            self.transport.close()

    def _end(self) -> None:
        """Cut short what waits for the client; what waits for a store has a moment more."""
        cycle: Any = self.cycle
        if self._owed is _BODY and not cycle.response_started:
            self._refuse(stopping())
        elif cycle is None or cycle.response_complete or cycle.response_started:
            self.transport.abort()


def _large_head() -> LargeHead:
    return LargeHead(
        f"The head of the request has more than {LARGEST_HEAD >> 10} kB or {MOST_HEADERS} headers.",
        hint="Send what is long in the body.",
    )


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
