"""The runs that are active in this process: a stack for each thread, as in MLflow."""

from __future__ import annotations

import threading
from typing import NamedTuple

__all__ = ["Active", "ActiveRuns"]


class Active(NamedTuple):
    """A run that is active, and the place it is tracked at.

    A run stays where it was started: what it logs must reach it although the tracking URI is changed meanwhile.

    Args:
        run_id: The run.
        uri: The tracking URI that was in force when it started.
        holder: This process as the holder of its lease; None if it has none.
    """

    run_id: str
    uri: str
    holder: str | None = None


class _OfThread(threading.local):
    """What a thread has."""

    def __init__(self) -> None:
        self.stack: list[Active] = []
        self.latest: Active | None = None


class ActiveRuns:
    """The active runs by thread; the last one on a thread's stack is what fluent calls log to.

    A stack belongs to the thread and not to the thread's number, which the system gives to another thread later.
    """

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        """Forget all, also those of other threads: a forked child does not own its parent's runs."""
        self._own = _OfThread()
        self._lock = threading.RLock()  # the handler of a signal may start or end a run, too
        self._stacks: list[list[Active]] = []  # those that hold something
        self._latest: Active | None = None

    def push(self, run: Active) -> None:
        """Make a run the active one of this thread."""
        stack = self._own.stack
        with self._lock:
            if not any(each is stack for each in self._stacks):  # Ctrl-C may have come right behind the first step
                self._stacks.append(stack)
            stack.append(run)
            self._own.latest = self._latest = run

    def remove(self, run_id: str) -> bool:
        """Take a run off this thread's stack, or off another one's if this one does not hold it.

        Returns:
            Whether another thread still has the run active.
        """
        with self._lock:
            holders = [stack for stack in self._stacks if any(run.run_id == run_id for run in stack)]
            own = self._own.stack
            for stack in [each for each in holders if each is own] or holders[:1]:
                self._own.latest = self._latest = next(run for run in stack if run.run_id == run_id)
                stack[:] = [run for run in stack if run.run_id != run_id]
            self._stacks = [stack for stack in self._stacks if stack]
        return len(holders) > 1

    def current(self) -> Active | None:
        """The active run of this thread."""
        stack = self._own.stack
        return stack[-1] if stack else None

    def latest(self) -> Active | None:
        """The run that this thread started or ended last; for a thread that did neither, the process."""
        return self._own.latest or self._latest

    def on_this_thread(self, run_id: str) -> bool:
        """Whether this thread has the run active."""
        return any(run.run_id == run_id for run in self._own.stack)

    def down_to(self, run_id: str) -> list[Active]:
        """The runs that end when this one does, innermost first: those started inside of it, and itself."""
        with self._lock:
            for stack in (self._own.stack, *self._stacks):
                ids = [run.run_id for run in stack]
                if run_id in ids:
                    return stack[ids.index(run_id) :][::-1]
        return []

    def everywhere(self) -> list[Active]:
        """The active runs of all threads, innermost first."""
        with self._lock:
            return [run for stack in self._stacks for run in reversed(stack)]
