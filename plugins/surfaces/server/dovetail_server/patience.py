"""How long a server waits for a client, for a request to come in and for an answer to be taken."""

from __future__ import annotations

from typing import NamedTuple

from dovetail.errors import DovetailError, StoreUnavailable

__all__ = [
    "LEAST",
    "LINGER",
    "LOOKS",
    "PERIOD",
    "TAKING",
    "Crowded",
    "Late",
    "Patience",
    "Stopping",
    "Wait",
    "late",
    "stopping",
]

PERIOD = 30.0
"""Seconds in which the head of a request has to be there, and in which at least ``LEAST`` of a body has to come."""
TAKING = 120.0
"""Seconds in which a client has to take at least ``LEAST`` of an answer."""
LEAST = 8192
LOOKS = 4
"""How often in a ``PERIOD`` a connection is looked at."""
LINGER = 1.0
"""Seconds that a client may take to read why its connection ends."""


class Late(DovetailError):
    """A request that began to come in does not go on."""

    status = 408
    error_code = "DEADLINE_EXCEEDED"


def late(what: str) -> Late:
    """What is answered to a request whose head or body does not come."""
    message = f"The {what} of the request did not come in {PERIOD:.0f} seconds, or hardly any of it."
    return Late(message, hint="Send it again.")


class Crowded(StoreUnavailable):
    """There are more clients than the server has room for."""

    retry_after = 5


class Stopping(StoreUnavailable):
    """The server ends."""

    retry_after = 1


def stopping() -> Stopping:
    """What is answered to requests that the end of the server cuts short."""
    return Stopping("The server is being stopped.", hint="Try again when it has been started.")


class Wait(NamedTuple):
    """What a client is waited for.

    Args:
        what: ``head``, ``body`` or ``answer``.
        request: The request that it is about; the very same object for as long as it is the same.
        moved: Bytes that have come, or are still to be taken.
    """

    what: str
    request: object
    moved: int


class Patience:
    """Knows what a client is waited for, and how long nothing has become of it.

    It counts how often it was asked, and reads no clock: after a time in which the server itself did nothing, the
    clients are not the ones who are late.
    """

    __slots__ = ("_looks", "_wait")

    def __init__(self) -> None:
        self._wait: Wait | None = None
        self._looks = 0

    @property
    def pause(self) -> float:
        """Seconds until it is to be asked again."""
        return PERIOD / LOOKS

    def is_over(self, wait: Wait | None) -> bool:
        """Whether a client has been waited for long enough; to be asked after each ``pause``.

        Args:
            wait: What it is waited for; None where it is not.
        """
        if wait is None or not _is_same(self._wait, wait):
            self._wait, self._looks = wait, 0
            return False
        self._looks += 1
        period = TAKING if wait.what == "answer" else PERIOD
        return self._looks >= LOOKS * period / PERIOD


def _is_same(before: Wait | None, wait: Wait) -> bool:
    if before is None or before.what != wait.what or before.request is not wait.request:
        return False
    return abs(wait.moved - before.moved) < LEAST
