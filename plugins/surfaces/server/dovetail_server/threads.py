"""Work that is handed over to threads, as long as there are any."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, TypeVar

from dovetail_server.patience import stopping

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Executor

__all__ = ["handed_over"]

_T = TypeVar("_T")


def handed_over(pool: Executor, call: Callable[[], _T]) -> asyncio.Future[_T]:
    """What comes of a call in a thread.

    Raises:
        Stopping: The server ends, and its threads take nothing more.
    """
    try:
        return asyncio.get_running_loop().run_in_executor(pool, call)
    except RuntimeError as error:  # the pool's: what goes wrong in the call is the future's
        raise stopping() from error
