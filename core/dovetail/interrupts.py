"""Ctrl-C, and the handlers of other signals: they come in the midst of anything that the main thread does."""

from __future__ import annotations

import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from threading import RLock
    from types import FrameType

__all__ = ["give_back", "is_within"]


def give_back(turn: RLock) -> None:
    """Release a lock if this thread has it, all of it, however often it took it.

    ``with lock:`` releases it whatever comes. Where it is to be taken without waiting, or not for ever, Ctrl-C may come
    right behind that, before anybody knows that it was taken.
    """
    with suppress(RuntimeError):  # it is not this thread's, or not any more
        while True:
            turn.release()


def is_within(method: Any) -> bool:
    """Whether this thread is executing a method of this very object: whoever asks was called by it, or interrupts it.

    The stack says so. A note of it might stay behind, if Ctrl-C came when it was to be taken back.

    Args:
        method: The method, bound to the object.
    """
    code, owner = method.__code__, method.__self__
    frame: FrameType | None = sys._getframe(1)  # noqa: SLF001
    while frame is not None and not (frame.f_code is code and frame.f_locals.get("self") is owner):
        frame = frame.f_back
    return frame is not None
