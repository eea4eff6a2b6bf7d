"""What a client sends, as a stream that a thread reads while it comes in."""

from __future__ import annotations

import asyncio
import io
import threading
from collections import deque
from typing import TYPE_CHECKING

from dovetail.errors import DovetailError

if TYPE_CHECKING:
    from dovetail_server.checksums import Expected

__all__ = ["BLOCK", "PATIENCE", "Gone", "Pipe", "Stalled"]

BLOCK = 1 << 20
"""Bytes that go from the event loop to a thread, or back, at a time."""
PATIENCE = 120.0
"""Seconds in which a client has to send or take a block."""
_AHEAD = 2  # blocks that wait for the thread


class Gone(Exception):
    """The client has gone before everything was there."""


class Stalled(DovetailError):
    """The client sends or takes next to nothing, and has not gone."""

    status = 408
    error_code = "DEADLINE_EXCEEDED"


class Pipe(io.BufferedIOBase):
    """A stream with one end in the event loop, where blocks are put, and one in a thread, where they are read.

    Whoever puts waits while the thread is busy with what came before. The end is told only to who has read everything
    that was expected: otherwise reading fails, so that nobody takes a part for the whole.

    Args:
        expected: What is to arrive.
    """

    def __init__(self, expected: Expected) -> None:
        self._expected = expected
        self._loop = asyncio.get_running_loop()
        self._room = asyncio.Event()
        self._changed = threading.Condition()
        self._blocks: deque[list[bytes]] = deque()
        self._pieces: deque[bytes] = deque()  # of the block that is being read
        self._over = False
        self._failure: BaseException | None = None

    # --- in the event loop -----------------------------------------------------------------------------------

    async def put(self, pieces: list[bytes]) -> None:
        """Put a block; returns when there is room for another one."""
        with self._changed:
            self._blocks.append(pieces)
            self._changed.notify()
            full = len(self._blocks) >= _AHEAD
            if full:
                self._room.clear()
        if full:
            await self._room.wait()

    def finish(self) -> None:
        """Say that everything has been put."""
        with self._changed:
            self._over = True
            self._changed.notify()

    def break_off(self, failure: BaseException) -> None:
        """Let reading fail; unless everything has been put."""
        with self._changed:
            if not self._over:
                self._over, self._failure = True, failure
                self._changed.notify()

    # --- in the thread ---------------------------------------------------------------------------------------

    def readable(self) -> bool:
        """Yes."""
        return True

    def read(self, size: int | None = -1, /) -> bytes:
        """The next bytes, as many as there are at the moment and at most so many; all for a negative number.

        Raises:
            Gone: The client has gone.
            Stalled: Nothing comes any more.
            InvalidInput: What has arrived is not what was to arrive.
        """
        if size is None or size < 0:
            return b"".join(iter(lambda: self.read(BLOCK), b""))
        piece = self._next()
        if len(piece) <= size:
            return piece
        self._pieces.appendleft(piece[size:])
        return piece[:size]

    def read1(self, size: int = -1, /) -> bytes:
        """The next bytes."""
        return self.read(BLOCK if size < 0 else size)

    def _next(self) -> bytes:
        while not self._pieces:
            if (block := self._block()) is None:
                return b""
            for piece in block:
                self._expected.update(piece)
            self._pieces.extend(filter(None, block))
        return self._pieces.popleft()

    def _block(self) -> list[bytes] | None:
        with self._changed:
            while not self._blocks and not self._over:
                if not self._changed.wait(PATIENCE):
                    message = f"Less than {BLOCK >> 20} MB came in {PATIENCE:.0f} seconds."
                    raise Stalled(message, hint="Send the file again.")
            if self._failure is not None:
                raise self._failure
            if not self._blocks:
                self._expected.confirm()
                return None
            block = self._blocks.popleft()
        self._loop.call_soon_threadsafe(self._room.set)
        return block
