"""Threads that do the same thing at the same moment."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

    from dovetail.errors import DovetailError

__all__ = ["THREADS", "attempted", "together"]

THREADS = 8
Result = TypeVar("Result")


def together(work: Callable[[int], Result]) -> list[Result]:
    """Have all threads do the work at the same moment, each with its number; what one raises is raised here."""
    gate = threading.Barrier(THREADS)

    def start(number: int) -> Result:
        gate.wait(timeout=30)
        return work(number)

    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(start, range(THREADS)))


def attempted(work: Callable[[], Result], refusal: type[DovetailError]) -> Result | None:
    """What the work gives, None if it is refused in this way."""
    try:
        return work()
    except refusal:
        return None
