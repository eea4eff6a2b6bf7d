"""How many connections a process has room for: none may take the files that it needs for its work."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from functools import cache
from typing import TYPE_CHECKING, Any

from dovetail_server.patience import Crowded
from dovetail_server.routing.answer import failure

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

__all__ = ["MOST", "crowded", "room"]

MOST = 10_000
"""Connections of a process, however many files it may open."""
_FILES = 65_536  # that a process asks for
_KEPT = 256  # of them, for its stores and uploads: threads that log and that upload may open three each at once
_READING = 5.0  # seconds for which a request that is refused is read


@cache
def room() -> tuple[int, int]:
    """How many connections are served, and how many there may be at all; those between are told to come again.

    The process asks for as many files as it may open. One that downloads has two: its connection and what it reads.
    """
    files = _files()
    if files is None:
        return MOST, 2 * MOST
    kept = min(_KEPT, files * 3 // 4)
    most = min((files - kept) // 2, MOST)
    return most, most + kept // 4


def _files() -> int | None:
    """How many files this process may have open; None where nobody counts."""
    try:
        import resource
    except ImportError:  # Windows
        return None
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _FILES if hard == resource.RLIM_INFINITY else min(hard, _FILES)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with suppress(ValueError, OSError):  # macOS allows less than it says
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
            soft = wanted
    return None if soft == resource.RLIM_INFINITY else soft


async def crowded(scope: Any, receive: Callable[[], Awaitable[Any]], send: Callable[[Any], Awaitable[None]]) -> None:
    """Answers every request of a connection that there is no room for; ASGI.

    A client that is cut off while it sends does not see the answer: what it sends is read for a while, and forgotten.
    """
    answer = failure(Crowded("The server has as many connections as it has room for.", hint="Try again in a moment."))
    headers = [*answer.headers, (b"content-length", b"%d" % len(answer.body)), (b"connection", b"close")]
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    body = b"" if scope["method"] == "HEAD" else answer.body
    await send({"type": "http.response.body", "body": body, "more_body": True})
    with suppress(asyncio.TimeoutError):
        await asyncio.wait_for(_read_on(receive), _READING)
    await send({"type": "http.response.body", "body": b""})


async def _read_on(receive: Callable[[], Awaitable[Any]]) -> None:
    while (await receive()).get("more_body", False):
        pass
