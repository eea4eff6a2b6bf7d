"""From the body of a request into a store, with little memory however large it is."""

from __future__ import annotations

import asyncio
import io
from functools import partial
from typing import TYPE_CHECKING, Any, BinaryIO, cast

from dovetail_server.patience import Crowded
from dovetail_server.pipe import BLOCK, Gone, Pipe
from dovetail_server.threads import handed_over

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from concurrent.futures import Executor

    from dovetail_server.checksums import Expected

    Put = Callable[[BinaryIO], None]

__all__ = ["WAITING", "stored"]

WAITING = 45.0
"""Seconds that an upload waits for a thread: longer than clients keep one that send nothing."""


async def stored(
    receive: Callable[[], Awaitable[Any]],
    expected: Expected,
    find: Callable[[], Put],
    pool: Executor,
    writers: Executor,
) -> bool:
    """Give what a client sends to what stores it.

    What fits into one block is collected first, so that a slow client keeps no thread busy. For more a thread writes
    while it comes in.

    Args:
        receive: ASGI's.
        expected: What is to arrive; anything else is not stored.
        find: Gives what stores a stream, in a thread and before more than a block is read. Where reading the stream
            fails nothing may be left.
        pool: Threads for short work.
        writers: Threads that may wait for clients.

    Returns:
        Whether it is stored; else the client has gone, and nothing is left.

    Raises:
        InvalidInput: Something else has arrived.
        Stalled: The client sends next to nothing.
        Crowded: All threads wait for other clients, and go on doing so.
        Stopping: The server ends.
        DovetailError: It cannot be stored.
    """
    try:
        pieces, is_last = await _block(receive)
        if is_last:
            await handed_over(pool, partial(_put_whole, find, b"".join(pieces), expected))
        else:
            put = await handed_over(pool, find)
            await _put_while_it_comes(receive, Pipe(expected), pieces, put, writers)
    except Gone:
        return False
    return True


def _put_whole(find: Callable[[], Put], body: bytes, expected: Expected) -> None:
    put = find()
    expected.update(body)
    expected.confirm()
    put(io.BytesIO(body))


async def _put_while_it_comes(
    receive: Callable[[], Awaitable[Any]],
    pipe: Pipe,
    pieces: list[bytes],
    put: Put,
    writers: Executor,
) -> None:
    loop, begun = asyncio.get_running_loop(), asyncio.Event()

    def write() -> None:
        loop.call_soon_threadsafe(begun.set)
        put(cast("BinaryIO", pipe))

    writing = handed_over(writers, write)
    feeding: asyncio.Future[None] | None = None
    try:
        await _until_begun(begun)
        feeding = asyncio.ensure_future(_feed(receive, pipe, pieces))
        await asyncio.wait({writing, feeding}, return_when=asyncio.FIRST_COMPLETED)
        await writing
    finally:
        if feeding is not None:
            feeding.cancel()
        writing.cancel()  # nobody waits for it any more, if it is not done
        pipe.break_off(Gone())  # for a request that is given up, the thread as well


async def _until_begun(begun: asyncio.Event) -> None:
    """Wait for a thread.

    Raises:
        Crowded: None becomes free.
    """
    try:
        await asyncio.wait_for(begun.wait(), WAITING)
    except asyncio.TimeoutError:
        if not begun.is_set():
            message = "As many large files as there is room for are being uploaded already."
            raise Crowded(message, hint="Try again in a moment.") from None


async def _feed(receive: Callable[[], Awaitable[Any]], pipe: Pipe, pieces: list[bytes]) -> None:
    """Put what comes in into the pipe, to the end or until the client goes."""
    try:
        is_last = False
        await pipe.put(pieces)
        while not is_last:
            pieces, is_last = await _block(receive)
            await pipe.put(pieces)
        pipe.finish()
    except BaseException as error:  # noqa: BLE001 - whatever it is: the thread that reads has to hear of it
        pipe.break_off(error)


async def _block(receive: Callable[[], Awaitable[Any]]) -> tuple[list[bytes], bool]:
    """What comes next, and whether it is the end.

    Raises:
        Gone: The client has gone.
    """
    pieces, size, more = [], 0, True
    while more and size < BLOCK:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Gone
        pieces.append(message.get("body", b""))
        size += len(pieces[-1])
        more = message.get("more_body", False)
    return pieces, not more
