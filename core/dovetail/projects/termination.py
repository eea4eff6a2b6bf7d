"""What becomes of runs that this process started when it is asked to end (SIGTERM, or SIGHUP of a closed terminal).

Each job is a process group of its own, so that nothing but its launcher ends it. A driver that a launcher ends gets
SIGTERM, which kills a Python program without a word: the jobs that the driver started would go on for ever.
"""

from __future__ import annotations

import os
import signal
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import FrameType

    from dovetail.projects.submitted import SubmittedRun

__all__ = ["Terminated", "attend", "forget"]


class Terminated(KeyboardInterrupt):
    """This process is asked to end: what it started is ended first, as after Ctrl-C.

    Args:
        number: The signal that asked.
    """

    def __init__(self, number: int = signal.SIGTERM) -> None:
        super().__init__(number)
        self.number = number


_attended: set[SubmittedRun] = set()


def attend(submitted: SubmittedRun) -> None:
    """End the run too when this process is asked to end; a program that handles the signals itself is left alone."""
    _attended.add(submitted)
    if threading.current_thread() is threading.main_thread():
        for number in _asking():
            if signal.getsignal(number) == signal.SIG_DFL:
                signal.signal(number, _terminate)


def forget(submitted: SubmittedRun) -> None:
    """The run has ended."""
    _attended.discard(submitted)


def _asking() -> list[signal.Signals]:
    """The signals that ask a process to end; Windows has no SIGHUP."""
    return [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]


def _terminate(number: int, frame: FrameType | None) -> None:
    del frame
    if not _attended:
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)
        return
    # In threads, since the code that was interrupted may hold the locks that cancelling needs.
    for submitted in list(_attended):
        threading.Thread(target=submitted.cancel).start()
    # A program that came to its end only waits for these threads; then there is nothing left to interrupt.
    if threading.main_thread().is_alive():
        raise Terminated(number)
