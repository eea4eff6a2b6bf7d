"""What becomes of the command line when it is asked to end: Ctrl-C, SIGTERM, a terminal that is closed.

While it starts up and once its command is done there is nothing to clean up, and an exception could land where it
would be lost or shown as a traceback: then it ends on the spot. While a command runs, an exception is raised, so that
what was started is ended first.
"""

from __future__ import annotations

import os
import signal
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["WORDS", "at_once", "by_exception"]

WORDS = {"SIGINT": "Interrupted.", "SIGTERM": "Terminated.", "SIGHUP": "The terminal was closed."}


@contextmanager
def at_once() -> Iterator[None]:
    """End the process with one line and 128 plus the signal's number; afterwards everything is as it was."""
    with _handled(dict.fromkeys(WORDS, _leave)):
        yield


@contextmanager
def by_exception() -> Iterator[None]:
    """Raise ``KeyboardInterrupt``, or ``Terminated`` with the signal's number."""
    with _handled({"SIGINT": signal.default_int_handler, "SIGTERM": _terminate, "SIGHUP": _terminate}):
        yield


@contextmanager
def _handled(handlers: dict[str, Callable[[int, Any], Any]]) -> Iterator[None]:
    before: dict[int, Any] = {}
    if threading.current_thread() is threading.main_thread():
        for name, handler in handlers.items():
            number = getattr(signal, name, None)  # Windows has no SIGHUP
            # One that is ignored stays so: that is what nohup is for.
            if number is not None and signal.getsignal(number) not in (signal.SIG_IGN, None):
                before[number] = signal.signal(number, handler)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _leave(number: int, frame: Any) -> None:
    del frame
    try:
        os.write(2, f"Error: {WORDS[signal.Signals(number).name]}\n".encode())
    finally:  # even where nobody reads what we say
        os._exit(128 + number)


def _terminate(number: int, frame: Any) -> None:
    from dovetail.tracking.termination import Terminated

    del frame
    raise Terminated(number)
