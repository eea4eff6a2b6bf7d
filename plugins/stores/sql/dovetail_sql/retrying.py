"""Store methods that begin again when others, or the network, were in the way.

Servers break off transactions: two that wait for each other, one that saw what another changed meanwhile, all of them
when the connection is lost. What was not committed is as if it had never been, so the whole method is run again,
until it succeeds or the busy timeout is over. A transaction's block alone cannot be run again: the caller holds it.
"""

from __future__ import annotations

import functools
import random
import threading
import time
from typing import TYPE_CHECKING, Any, TypeVar

from dovetail.errors import StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

__all__ = ["Displaced", "Lost", "Retry", "Transient", "Unsure", "retried"]

S = TypeVar("S")

_FIRST, _LONGEST = 0.005, 1.0
_RETURN = 10.0
"""Seconds within which a server that was there before is expected back."""
_LOOK = 1.0
"""Seconds within which tables that were there before are looked for again."""
_nested = threading.local()


class Transient(StoreUnavailable):
    """Nothing was stored, and the next attempt may succeed."""


class Lost(Transient):
    """The connection went away, or the server that was there before cannot be reached now; nothing was stored."""


class Displaced(Transient):
    """Tables that were there before are not there, or not in the database that the connection is to."""


class Unsure(StoreUnavailable):
    """The connection was lost while the server committed: whether that was stored cannot be known."""


class Retry:
    """How often and how long to try.

    Args:
        patience: Seconds after which no further attempt is made. For locks they count from the beginning, since an
            attempt waits for them; for a server that went away, from when that was first noticed.
    """

    def __init__(self, patience: float) -> None:
        self.patience = patience

    def call(self, attempt: Callable[[], S], *, repeatable: bool) -> S:
        """What an attempt gives, begun again as long as that may help.

        Args:
            attempt: What to do.
            repeatable: Whether doing it twice is the same as doing it once.
        """
        since: dict[type[StoreUnavailable], float] = {Transient: time.monotonic()}
        for pause in _pauses():
            try:
                return attempt()
            except (Transient, Unsure) as failure:
                kind = Lost if isinstance(failure, Unsure) and repeatable else type(failure)
                noticed = since.setdefault(kind, time.monotonic())
                if time.monotonic() + pause - noticed >= self._worth(kind):
                    raise
            time.sleep(pause)
        raise AssertionError("The pauses never end.")

    def _worth(self, kind: type[StoreUnavailable]) -> float:
        """For how many seconds it makes sense to begin again after failures of that kind."""
        worth: dict[type[StoreUnavailable], float] = {Transient: self.patience, Lost: _RETURN, Displaced: _LOOK}
        return min(self.patience, worth.get(kind, 0))


def retried(
    kind: type[S], methods: Collection[str], repeatable: Collection[str], steps: Collection[str] = ()
) -> type[S]:
    """A store class whose methods begin again when they were broken off.

    Args:
        kind: The class; its instances have a ``database`` with a ``retry``.
        methods: The names of the methods that are broken off as a whole.
        repeatable: Those among them that may be done twice.
        steps: The names of methods of one transaction each, of which others take many. Each begins again by itself,
            whatever method it is a part of, since those before it are done; and each may be done twice.
    """
    wrapped = {name: _again(getattr(kind, name), repeatable=name in repeatable) for name in methods}
    wrapped |= {name: _step_again(getattr(kind, name)) for name in steps}
    return type(kind.__name__, (kind,), {"__doc__": kind.__doc__, "__module__": kind.__module__, **wrapped})


def _again(method: Callable[..., Any], *, repeatable: bool) -> Callable[..., Any]:
    @functools.wraps(method)
    def call(self: Any, *args: Any, **named: Any) -> Any:
        # A method that another one calls is part of that one's attempt.
        if getattr(_nested, "inside", False):
            return method(self, *args, **named)
        _nested.inside = True
        try:
            return self.database.retry.call(lambda: method(self, *args, **named), repeatable=repeatable)
        finally:
            _nested.inside = False

    return call


def _step_again(method: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(method)
    def call(self: Any, *args: Any, **named: Any) -> Any:
        return self.database.retry.call(lambda: method(self, *args, **named), repeatable=True)

    return call


def _pauses() -> Iterator[float]:
    """Ever longer ones, and never the same for two who were in each other's way."""
    longest = _FIRST
    while True:
        yield random.uniform(longest / 2, longest)  # noqa: S311 - no secret
        longest = min(longest * 2, _LONGEST)
