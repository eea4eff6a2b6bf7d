"""What MLflow calls asynchronous logging: calls that answer with something to wait for.

Here no log call ever waits for the store, asked to or not: what is logged stands in a journal when a call returns. So
``synchronous=False`` changes what a call answers with, and ``synchronous=True`` makes it wait.
"""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING, Any

from dovetail import settings

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from concurrent.futures import Future, ThreadPoolExecutor

    from dovetail.tracking.recorder import Recorder
    from dovetail.values import Batch

__all__ = [
    "RunOperations",
    "answers",
    "enable_async_logging",
    "flush_artifact_async_logging",
    "in_background",
    "logged",
]


class RunOperations:
    """What was logged by a call with ``synchronous=False``.

    Args:
        waits: Calls that return when it is stored, and raise what kept it from being stored.
    """

    def __init__(self, waits: Sequence[Callable[[], object]] = ()) -> None:
        self._waits = list(waits)

    def wait(self) -> None:
        """Return when all of it is stored.

        Raises:
            DovetailError: Some of it could not be stored: the store cannot be reached, or refuses it, such as a param
                that another process logged with another value.
        """
        for wait in self._waits:
            wait()


def enable_async_logging(enable: bool = True) -> None:
    """Choose for this process whether log calls without ``synchronous`` answer with something to wait for.

    Args:
        enable: False for calls that answer with None, which is the default.
    """
    global _chosen  # noqa: PLW0603 - the process's choice
    _chosen = bool(enable)


_chosen: bool | None = None


def answers(synchronous: bool | None) -> bool:
    """Whether a call does more than most: wait, or answer with something to wait for."""
    global _chosen  # noqa: PLW0603 - asked once, since this is the hot path
    if _chosen is None:
        _chosen = bool(settings.get("async_logging"))
    return synchronous is not None or _chosen


def logged(recorder: Recorder, run_id: str, batch: Batch, synchronous: bool | None) -> RunOperations | None:
    """Record a batch of a run, and wait for it or say how to, if that is asked for.

    Raises:
        DovetailError: It was refused; or it is to be waited for, and the store refuses it or cannot be reached.
    """
    if not answers(synchronous):
        recorder.record(run_id, batch)
        return None
    wait = recorder.kept(run_id, batch)
    if not synchronous:
        return RunOperations([wait])
    wait()
    return None


# --- artifacts ---------------------------------------------------------------------------------------------------

_lock = threading.Lock()
_pool: ThreadPoolExecutor | None = None
_going: set[Future[Any]] = set()


def in_background(work: Callable[[], object]) -> RunOperations:
    """Do some work in another thread, such as an upload.

    Returns:
        What to wait for; ``wait`` raises what the work raised.
    """
    global _pool  # noqa: PLW0603 - one a process
    from concurrent.futures import ThreadPoolExecutor

    with _lock:
        if _pool is None:
            _pool = ThreadPoolExecutor(max_workers=4, thread_name_prefix="dovetail-artifacts")
        future = _pool.submit(work)
        _going.add(future)
    return RunOperations([future.result])


def flush_artifact_async_logging() -> None:
    """Return when all work in the background is done.

    Raises:
        Exception: What the first work that failed raised; the rest is done all the same.
    """
    with _lock:
        waited = list(_going)
        _going.clear()
    failures = [failure for each in waited if (failure := each.exception()) is not None]
    if failures:
        raise failures[0]


def _begin_anew_after_fork() -> None:
    global _lock, _pool
    _lock, _pool = threading.Lock(), None
    _going.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_begin_anew_after_fork)
