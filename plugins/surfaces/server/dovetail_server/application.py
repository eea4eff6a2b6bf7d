"""The ASGI application: from a request to its answer, with one place for every error."""

from __future__ import annotations

import asyncio
import logging
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import unquote_to_bytes

from dovetail.errors import DovetailError, InvalidInput, StoreError
from dovetail_server.patience import Crowded, stopping
from dovetail_server.routing.answer import Answer, TooMuch, failure, json
from dovetail_server.routing.asked import Asked, body_of, fields_of, query_of
from dovetail_server.routing.route import Way

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence

    from dovetail_server.access import Access
    from dovetail_server.guard import Guard
    from dovetail_server.routing.route import Route
    from dovetail_server.routing.router import Router
    from dovetail_server.site import Site

    Headers = Iterable[tuple[bytes, bytes]]

__all__ = ["MOST_COMING", "Application", "Head"]

MOST_COMING = 256 << 20
"""Bytes that all bodies together may have that are read as a whole, while they come in."""

_ALWAYS = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"SAMEORIGIN"),
)
_SINGLE = (b"host", b"origin")
_NOTHING = json({})
_LARGE = 256 << 10
"""Bytes of a body that others would have to wait for while the event loop reads it."""
_PROMPT = (Way.AT_ONCE, Way.IN_GROUP)
_log = logging.getLogger("dovetail.server")


class Head(NamedTuple):
    """The head of a request, read.

    Args:
        route: Which kind of request it is.
        places: The open pieces of its path.
        path: Its path.
        query: Its query.
        headers: Its headers, their names in lower case.
        always: The headers that every answer to it has.
    """

    route: Route
    places: dict[str, str]
    path: str
    query: bytes
    headers: Mapping[str, str]
    always: Headers


class Application:
    """Answers requests.

    Args:
        site: What is served.
        router: The routes.
        guard: Who may send requests at all.
        access: Who may do what.
        threads: How many requests are answered at the same time that need a store.
    """

    def __init__(self, site: Site, router: Router, guard: Guard, access: Access, threads: int = 16) -> None:
        self.site, self.router = site, router
        site.routes = router.routes
        self._guard, self._access = guard, access
        self._is_open = False
        self.coming = 0  # bytes of bodies that are not whole yet
        # Writers may wait long for a database that somebody else holds; readers do not wait for them.
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="dovetail-server")
        self._writers = ThreadPoolExecutor(threads, thread_name_prefix="dovetail-server-writing")

    async def __call__(
        self, scope: Any, receive: Callable[[], Awaitable[Any]], send: Callable[[Any], Awaitable[None]]
    ) -> None:
        """As ASGI says."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["type"] == "http":
            await self._answer(scope, receive, send)
        # Nothing else is spoken here: uvicorn refuses what is left alone.

    async def _live(self, receive: Callable[[], Awaitable[Any]], send: Callable[[Any], Awaitable[None]]) -> None:
        """Begin when the server does; end with it, with everything stored."""
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await asyncio.get_running_loop().run_in_executor(None, self._close)
        await send({"type": "lifespan.shutdown.complete"})

    def _close(self) -> None:
        self._pool.shutdown()
        self._writers.shutdown()
        self.site.close()

    # --- a request -------------------------------------------------------------------------------------------

    async def _answer(
        self, scope: Any, receive: Callable[[], Awaitable[Any]], send: Callable[[Any], Awaitable[None]]
    ) -> None:
        begin, verb = time.perf_counter(), scope["method"]
        headers = _decoded(scope["headers"])
        route: Route | None = None
        sending = _Sending(send, self._always(headers))
        try:
            self._guard.check(verb, headers)
            if (preflight := self._preflight(verb, headers)) is not None:
                await sending.send(preflight)
                return
            route, places = self.router.find(verb, _path(scope))
            answer = await self._answered(route, places, scope, headers, receive, sending)
        except ClientGone:
            return
        except asyncio.CancelledError:  # by the server's end: who waits for a store that answers nobody is told so
            answer = self._failure(stopping(), verb, scope["path"])
        except Exception as error:  # noqa: BLE001 - the one place where errors become answers
            answer = self._failure(error, verb, scope["path"])
        if answer is not None and not sending.begun:
            await sending.send(answer, head=verb == "HEAD")
        if sending.begun:  # else the client has gone
            self.site.measures.note(route, sending.status, time.perf_counter() - begin)

    def head(self, verb: str, target: tuple[str, bytes], given: Sequence[tuple[bytes, bytes]]) -> Head | None:
        """What the head of a request says; None if requests of its kind are not answered promptly.

        Args:
            verb: Its verb.
            target: The path and the query.
            given: Its headers.
        """
        try:
            route, places = self.router.find(verb, target[0])
        except DovetailError:
            return None
        if verb != route.verb or not (route.way in _PROMPT or route.way is Way.BRIEF):
            return None
        headers = _decoded(given)
        return Head(route, places, *target, headers, self._always(headers))

    def promptly(self, head: Head, body: bytes, send: Callable[[Answer, Headers], None]) -> bool:
        """Answer a request that is there as a whole, if it waits for nothing but a commit.

        Such requests are most of those that a server gets: no coroutine is begun for them.

        Args:
            head: Its head.
            body: Its body.
            send: Sends the answer, with the headers that every one has; it may be called before this returns.

        Returns:
            False if it is another one, and nothing is done.
        """
        route, headers = head.route, head.headers
        if not self._is_prompt(route) or len(body) > min(route.largest, _LARGE):
            return False
        begin = time.perf_counter()

        def done(answer: Answer) -> None:
            send(answer, head.always)
            self.site.measures.note(route, answer.status, time.perf_counter() - begin)

        def committed(failure: BaseException | None) -> None:
            done(_NOTHING if failure is None else self._failure(failure, route.verb, head.path))

        try:
            self._guard.check(route.verb, headers)
            principal = self._access.principal(headers)
            asked = self._asked(route, head.places, head.query, body, headers, route.verb, principal)
            if route.way is Way.IN_GROUP:
                self.site.committer.put(route.call(asked), committed)
                return True
            answer = _as_answer(route.call(asked))
        except Exception as error:  # noqa: BLE001 - as in _answer
            answer = self._failure(error, route.verb, head.path)
        done(answer)
        return True

    def _is_prompt(self, route: Route) -> bool:
        return route.way in _PROMPT or (route.way is Way.BRIEF and self._is_near())

    async def _answered(
        self,
        route: Route,
        places: dict[str, str],
        scope: Any,
        headers: Mapping[str, str],
        receive: Callable[[], Awaitable[Any]],
        sending: _Sending,
    ) -> Answer | None:
        principal = self._access.principal(headers)
        plain = route.way is Way.STREAMING or route.verb == "GET"
        body = b"" if plain else await self._read(receive, headers, route.largest)
        read = partial(self._asked, route, places, scope["query_string"], body, headers, scope["method"], principal)
        asked = read() if len(body) <= _LARGE else await asyncio.get_running_loop().run_in_executor(self._pool, read)
        return await self._called(route, asked, receive, sending)

    def _asked(
        self,
        route: Route,
        places: dict[str, str],
        query: bytes,
        body: bytes,
        headers: Mapping[str, str],
        verb: str,
        principal: Any,
    ) -> Asked:
        """A request, read and checked, that whoever sends it may send."""
        data = None
        if route.way is not Way.STREAMING and route.verb != "GET":
            data = body_of(body, headers.get("content-type"))
        fields = fields_of(route, data, query_of(query) if query else {})
        fields.update(places)
        asked = Asked(self.site, self._access, route, fields, headers, principal, verb)
        asked.require(route.action, route.subject(fields))
        return asked

    async def _called(
        self, route: Route, asked: Asked, receive: Callable[[], Awaitable[Any]], sending: _Sending
    ) -> Answer | None:
        if route.way is Way.IN_GROUP:
            await self.site.committer.commit(route.call(asked))
            return _NOTHING
        if route.way is Way.STREAMING:
            return await self._streamed(route, asked, receive, sending)
        if route.way is Way.AT_ONCE or (route.way is Way.BRIEF and self._is_near()):
            return _as_answer(route.call(asked))
        pool = self._pool if route.action == "read" else self._writers
        answer = await asyncio.get_running_loop().run_in_executor(pool, _answer_of, route, asked)
        self._is_open = self._is_open or route.way is Way.BRIEF
        return answer

    def _is_near(self) -> bool:
        """Whether the tracking store is open, and reading from it waits for nobody."""
        return self._is_open and self.site.tracking.at_once() is not None

    async def _streamed(
        self, route: Route, asked: Asked, receive: Callable[[], Awaitable[Any]], sending: _Sending
    ) -> Answer | None:
        answer: Answer | None = await route.call(asked, receive, sending, self._pool)
        return answer

    def _failure(self, error: BaseException, verb: str, path: str) -> Answer:
        """What is answered to an error; of those that nobody foresaw only the log has more than their kind."""
        if isinstance(error, DovetailError):
            if error.status >= 500 and not isinstance(error, StoreError):  # noqa: PLR2004 - HTTP's
                _log.warning("%s %s: %s", verb, path, error)
            return failure(error, self.site.concealed)
        _log.error("%s %s failed", verb, path, exc_info=error)
        return failure(DovetailError(f"The server failed ({type(error).__name__}).", hint="Its log says more."))

    async def _read(self, receive: Callable[[], Awaitable[Any]], headers: Mapping[str, str], most: int) -> bytes:
        """The whole body.

        Raises:
            TooMuch: It is too large.
            Crowded: All that are coming in are.
            ClientGone: It does not come to its end.
        """
        length = headers.get("content-length", "")
        if length.isdecimal() and int(length) > most:
            raise _too_much(most)
        pieces, size, more = [], 0, True
        try:
            while more:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise ClientGone
                pieces.append(piece := message.get("body", b""))
                size += len(piece)
                self.coming += len(piece)
                if size > most:
                    raise _too_much(most)
                if self.coming > MOST_COMING:
                    raise Crowded("Too much is coming in at the same time.", hint="Try again in a moment.")
                more = message.get("more_body", False)
        finally:
            self.coming -= size
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    # --- headers ---------------------------------------------------------------------------------------------

    def _always(self, headers: Mapping[str, str]) -> tuple[tuple[bytes, bytes], ...]:
        origin = headers.get("origin")
        if origin is None or not self._guard.allows(origin):
            return _ALWAYS
        return (*_ALWAYS, (b"access-control-allow-origin", origin.encode("latin-1")), (b"vary", b"origin"))

    def _preflight(self, verb: str, headers: Mapping[str, str]) -> Answer | None:
        """What a browser is told that asks whether a page may send something."""
        if verb != "OPTIONS" or "access-control-request-method" not in headers:
            return None
        if not self._guard.allows(headers.get("origin", "")):
            return Answer(403)
        asked = headers.get("access-control-request-headers", "content-type").encode("latin-1")
        allowed = (b"access-control-allow-methods", b"GET, POST, PUT, PATCH, DELETE")
        return Answer(
            204, b"", (allowed, (b"access-control-allow-headers", asked), (b"access-control-max-age", b"600"))
        )


class _Sending:
    """The way back to the client, which knows whether anything went there yet.

    Args:
        send: ASGI's.
        always: The headers that every answer has.
    """

    __slots__ = ("_always", "_send", "begun", "status")

    def __init__(self, send: Callable[[Any], Awaitable[None]], always: tuple[tuple[bytes, bytes], ...]) -> None:
        self._send, self._always = send, always
        self.begun, self.status = False, 0

    async def send(self, answer: Answer, *, head: bool = False) -> None:
        """Send a whole answer."""
        self.begun, self.status = True, answer.status
        await answer.send(self._send, self._always, head=head)

    async def begin(self, status: int, headers: list[tuple[bytes, bytes]]) -> None:
        """Begin an answer that comes in pieces."""
        self.begun, self.status = True, status
        await self._send({"type": "http.response.start", "status": status, "headers": [*headers, *self._always]})

    async def piece(self, data: bytes, *, last: bool = False) -> None:
        """Send a piece of it."""
        await self._send({"type": "http.response.body", "body": data, "more_body": not last})


class ClientGone(Exception):  # it is no error of ours
    """The client has gone in the midst of its request."""


def _too_much(most: int) -> TooMuch:
    return TooMuch(f"The body of the request has more than {most >> 20} MB.", hint="Send it in several requests.")


def _path(scope: Any) -> str:
    """The path of a request.

    Raises:
        InvalidInput: It is no UTF-8: several of such would be one and the same.
    """
    path: str = scope["path"]
    if "\ufffd" in path:
        try:
            unquote_to_bytes(scope["raw_path"]).decode()
        except UnicodeDecodeError:
            raise InvalidInput("The path of the request is no UTF-8.") from None
    return path


def _decoded(headers: Sequence[tuple[bytes, bytes]]) -> dict[str, str]:
    found = {str(name, "latin-1"): str(value, "latin-1") for name, value in headers}
    if len(found) < len(headers):
        for single in _SINGLE:
            if sum(name == single for name, _ in headers) > 1:
                found[single.decode()] = ""  # which one would be meant, somebody in between may see otherwise
    return found


def _answer_of(route: Route, asked: Asked) -> Answer:
    return _as_answer(route.call(asked))


def _as_answer(found: Any) -> Answer:
    return found if isinstance(found, Answer) else json(found)
