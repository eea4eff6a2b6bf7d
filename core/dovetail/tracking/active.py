"""The runs that are active in this process: a stack for each thread, as in MLflow."""

from __future__ import annotations

import threading

__all__ = ["ActiveRuns"]


class ActiveRuns:
    """Ids of active runs by thread; the last one on a thread's stack is what fluent calls log to."""

    def __init__(self) -> None:
        self._stacks: dict[int, list[str]] = {}
        self._lock = threading.Lock()
        self._latest: str | None = None

    def push(self, run_id: str) -> None:
        """Make a run the active one of this thread."""
        with self._lock:
            self._stacks.setdefault(threading.get_ident(), []).append(run_id)
            self._latest = run_id

    def remove(self, run_id: str) -> None:
        """Take a run off whichever stack holds it; nothing happens if none does."""
        with self._lock:
            for stack in self._stacks.values():
                if run_id in stack:
                    stack.remove(run_id)

    def current(self) -> str | None:
        """The active run of this thread."""
        stack = self._stacks.get(threading.get_ident())
        return stack[-1] if stack else None

    def everywhere(self) -> list[str]:
        """The active runs of all threads, innermost first."""
        with self._lock:
            return [run_id for stack in self._stacks.values() for run_id in reversed(stack)]

    @property
    def latest(self) -> str | None:
        """The run that was started last in this process, also after it ended."""
        return self._latest

    def clear(self) -> None:
        """Forget all: a forked child does not own its parent's runs."""
        self._stacks.clear()
        self._lock = threading.Lock()
