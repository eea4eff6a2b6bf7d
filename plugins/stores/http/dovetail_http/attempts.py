"""How often a request is tried, and how long is waited in between."""

from __future__ import annotations

import random
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from dovetail import settings
from dovetail_http.failures import unsure

if TYPE_CHECKING:
    from collections.abc import Callable

    from dovetail.errors import DovetailError

__all__ = ["Attempts", "Failed"]

_FIRST, _LONGEST = 0.1, 2.0
Result = TypeVar("Result")


class Failed(Exception):
    """An attempt that came to nothing, and may come to something another time.

    Args:
        failure: What is raised if there is no other time.
        sent: Whether the server may have seen the request.
        doubtful: Whether it may have done what it was asked for.
        after: Seconds from which on it may be tried again; None where nobody said.
    """

    def __init__(self, failure: DovetailError, *, sent: bool, doubtful: bool, after: float | None = None) -> None:
        super().__init__(failure)
        self.failure, self.sent, self.doubtful, self.after = failure, sent, doubtful, after


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

    def at(self, attempt: Callable[[], Result]) -> Result:
        """Try until it comes to something, at most for ``http_retry_seconds``.

        Waits grow, and vary, so that clients of a server that comes back do not come all at once.

        Raises:
            DovetailError: What an attempt raised, or the last one came to.
        """
        end, wait = time.monotonic() + settings.get("http_retry_seconds"), _FIRST
        while True:
            try:
                return attempt()
            except Failed as failed:
                self.doubtful |= failed.doubtful
                if failed.sent and not self.again:
                    raise self._last(failed) from failed.__cause__
                left = end - time.monotonic()
                if left <= 0 or (failed.after or 0) > left:
                    raise failed.failure from failed.__cause__
                varied = wait * random.uniform(0.5, 1)  # noqa: S311 - no secret
                pause = max(failed.after or 0, min(varied, left))
            time.sleep(pause)
            wait = min(2 * wait, _LONGEST)

    @staticmethod
    def _last(failed: Failed) -> DovetailError:
        return unsure(failed.failure) if failed.doubtful else failed.failure
