"""Answers that leave at once: head and body in one piece, not in two that the client is woken for one by one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

__all__ = ["Joined"]

_HEAD, _END = b"HTTP/1.1 ", b"\r\n\r\n"


class Joined:
    """A transport that keeps the head of an answer back until more comes, for a moment at most.

    Args:
        transport: The real one.
        later: Calls something when whoever writes is done for now.
    """

    def __init__(self, transport: asyncio.Transport, later: Callable[[Callable[[], None]], Any]) -> None:
        self._transport, self._later = transport, later
        self._held = b""

    def write(self, data: bytes) -> None:
        """Write, or keep back what begins an answer; nothing to a client that has gone."""
        if self._transport.is_closing():
            return
        if self._held:
            data, self._held = self._held + data, b""
        elif data.startswith(_HEAD) and data.endswith(_END):
            self._held = data
            self._later(self._flush)
            return
        self._transport.write(data)

    def close(self) -> None:
        """Write what is kept back, and close."""
        self._flush()
        self._transport.close()

    def __getattr__(self, name: str) -> Any:
        """Everything else that a transport does."""
        return getattr(self._transport, name)

    def _flush(self) -> None:
        if self._held:
            data, self._held = self._held, b""
            if not self._transport.is_closing():
                self._transport.write(data)
