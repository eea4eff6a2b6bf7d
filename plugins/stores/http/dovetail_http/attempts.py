"""How often a request is tried, how long is waited in between, and what those who wait hear of it."""

from __future__ import annotations

import logging
import random
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from dovetail import settings
from dovetail_http.failures import given_up, unsure

if TYPE_CHECKING:
    from collections.abc import Callable

    from dovetail.errors import DovetailError

__all__ = ["Attempts", "Failed"]

_FIRST, _LONGEST = 0.1, 2.0
_SILENT = 1.0
"""Seconds without a word: those who wait for longer want to know for what."""
_CONNECT, _AT_FIRST = 10.0, 1.5
_log = logging.getLogger(__name__)
Result = TypeVar("Result")


class Failed(Exception):
    """An attempt that came to nothing, and may come to something another time.

    Args:
        failure: What is raised if there is no other time.
        sent: Whether the server may have seen the request.
        doubtful: Whether it may have done what it was asked for.
        after: Seconds from which on it may be tried again; None where nobody said.
        place: The server's address, where the failure does not name it.
    """

    def __init__(
        self, failure: DovetailError, *, sent: bool, doubtful: bool, after: float | None = None, place: str = ""
    ) -> None:
        super().__init__(failure)
        self.failure, self.sent, self.doubtful, self.after = failure, sent, doubtful, after
        self.why = f"{place}: {failure.message}" if place else failure.message


@dataclass
class Attempts:
    """The attempts at one request.

    Args:
        again: Whether doing it twice is the same as doing it once.

    Attributes:
        doubtful: Whether one of those that failed may have been carried out.
    """

    again: bool = False
    doubtful: bool = False

    def at(self, attempt: Callable[[float], Result], seconds: float | None = None) -> Result:
        """Try until it comes to something.

        Waits grow, and vary, so that clients of a server that comes back do not come all at once. Whoever waits for
        more than a moment is told why, once; threads that nobody waits for say nothing.

        Args:
            attempt: What is tried; told how many seconds it may take to connect.
            seconds: How long to go on trying; by default the setting ``http_retry_seconds``.

        Raises:
            DovetailError: What an attempt raised, or the last one came to.
        """
        seconds = settings.get("http_retry_seconds") if seconds is None else seconds
        # Whoever waits for what such a thread does waits by another setting, and is told of that.
        quiet = told = threading.current_thread().daemon
        start, wait = time.monotonic(), _FIRST
        # Where nobody answers, connecting takes as long as it may: at first not long, so that something can be said.
        patience = _AT_FIRST if seconds and self.again else _CONNECT
        while True:
            try:
                return attempt(patience)
            except Failed as failed:
                self.doubtful |= failed.doubtful
                if failed.sent and not self.again:
                    raise self._last(failed) from failed.__cause__
                left = start + seconds - time.monotonic()
                if left <= 0 or (failed.after or 0) > left:
                    raise (failed.failure if quiet else given_up(failed.failure)) from failed.__cause__
                varied = wait * random.uniform(0.5, 1)  # noqa: S311 - no secret
                pause = max(failed.after or 0, min(varied, left))
                if not told and seconds - left + pause >= _SILENT:
                    _log.warning("%s Trying for %d s more.", failed.why, max(1, round(left)))
                    told = True
            time.sleep(pause)
            wait, patience = min(2 * wait, _LONGEST), min(max(left - pause, _AT_FIRST), _CONNECT)

    @staticmethod
    def _last(failed: Failed) -> DovetailError:
        return unsure(failed.failure) if failed.doubtful else failed.failure
