"""What becomes of a process that is asked to end (SIGTERM, or SIGHUP of a closed terminal) while it has things to end.

Both signals kill a Python program without a word: runs that are active would be found as CRASHED, and the jobs that a
driver started, each a process group of its own, would go on for ever. So the process unwinds as for ``sys.exit``. A
program that handles a signal itself is left alone, and so are interactive ones as far as runs are concerned: there a
cell or line that is interrupted is not the end.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

__all__ = ["Terminated", "attend", "forget", "unwatch", "was_terminated", "watch"]

# What lies below the module signal, which makes numbers into enums and back and so takes twenty times as long: all of
# that is done at each start and each end of a run.
_raw: Any = import_module("_signal")
SIG_DFL, getsignal, set_signal = _raw.SIG_DFL, _raw.getsignal, _raw.signal


class Terminated(SystemExit, KeyboardInterrupt):
    """This process is asked to end. Whoever tidies up after Ctrl-C does so, and nobody sees a traceback.

    Args:
        number: The signal that asked.
    """

    def __init__(self, number: int = signal.SIGTERM) -> None:
        super().__init__(128 + number)  # what shells say of a process that a signal ended
        self.number = number


_cancel: set[Callable[[], object]] = set()  # what ends the jobs that this process started
_process = 0  # the one whose runs are watched
_came = False
_masks: dict[int, set[Any]] = {}  # what was held back before a fork, by thread


def watch() -> None:
    """Unwind from now on, since a run is active."""
    global _process, _came  # noqa: PLW0603 - the module's state
    _came = False  # what came before was survived
    if not hasattr(sys, "ps1"):
        _process = os.getpid()
        _handle()


def unwatch() -> None:
    """No run is active any more: the signals have their own effect again, unless there are jobs."""
    global _process  # noqa: PLW0603 - the module's state
    _process = 0
    _let_go()


def attend(cancel: Callable[[], object]) -> None:
    """End a job, too, when this process is asked to end.

    Args:
        cancel: Ends it.
    """
    _cancel.add(cancel)
    _handle()


def forget(cancel: Callable[[], object]) -> None:
    """The job has ended."""
    _cancel.discard(cancel)
    _let_go()


def was_terminated() -> bool:
    """Whether this process was asked to end."""
    return _came


# --- steps ----------------------------------------------------------------------------------------------------


_ASKING = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
"""The signals that ask a process to end; Windows has no SIGHUP."""


def _handle() -> None:
    if _is_main():
        for number in _ASKING:
            if getsignal(number) is SIG_DFL:
                set_signal(number, _leave)


def _let_go() -> None:
    if _is_main() and not _cancel and not _process:
        for number in _ASKING:
            if getsignal(number) is _leave:
                set_signal(number, SIG_DFL)


def _leave(number: int, frame: FrameType | None) -> None:
    global _came  # noqa: PLW0603 - the process is about to end
    del frame
    if not _cancel and _process != os.getpid():
        # Nothing is left to end, or it is a child that has just been forked, and in which this was not undone yet.
        set_signal(number, SIG_DFL)
        os.kill(os.getpid(), number)
        return
    _came = True
    if not _cancel:
        # Whoever does not want to wait until all is put away sends it again.
        set_signal(number, SIG_DFL)
    # In threads, since the code that was interrupted may hold the locks that cancelling needs.
    for cancel in list(_cancel):
        threading.Thread(target=cancel).start()
    # A program that came to its end only waits for these threads; then there is nothing left to interrupt.
    if threading.main_thread().is_alive():
        raise Terminated(number)


def _is_main() -> bool:
    return threading.current_thread() is threading.main_thread()


def _hold_back() -> None:
    """Let no signal reach a child before it has its own effect there: Python forgets one that comes earlier."""
    if any(getsignal(number) is _leave for number in _ASKING):
        _masks[threading.get_ident()] = signal.pthread_sigmask(signal.SIG_BLOCK, _ASKING)


def _go_on() -> None:
    if (mask := _masks.pop(threading.get_ident(), None)) is not None:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)


def _begin_anew() -> None:
    """A child is ended by whoever started it, and has neither runs nor jobs of its own yet."""
    _cancel.clear()
    unwatch()
    _go_on()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_hold_back, after_in_parent=_go_on, after_in_child=_begin_anew)
