"""Leases: which process sees to a run."""

from __future__ import annotations

from dataclasses import dataclass

from dovetail.errors import InvalidInput
from dovetail.values.names import check_text
from dovetail.values.value import Value

__all__ = ["Lease"]

_MAX_HOLDER = 64


@dataclass(frozen=True, repr=False)
class Lease(Value):
    """The word of a process that it sees to a run, until it ends it or gives no sign of life any more.

    Args:
        holder: The process, by an id that it made for itself.
        seconds: How long a sign of life holds, by the store's clock.

    Raises:
        InvalidInput: The holder is no text of 1 to 64 characters, or the time is not above zero.
    """

    holder: str
    seconds: float

    def __post_init__(self) -> None:
        check_text("holder of a lease", self.holder, _MAX_HOLDER)
        if not self.holder:
            raise InvalidInput("A lease needs a holder.")
        if not 0 < self.seconds < float("inf"):
            raise InvalidInput(f"A lease of {self.seconds} seconds is none.", hint="Give a number above zero.")
