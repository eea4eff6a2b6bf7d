"""How far transfers are, told to whoever asked or shown to the person at the terminal."""

from __future__ import annotations

import os
import sys
import threading
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from math import inf
from typing import TYPE_CHECKING, Protocol

from dovetail import settings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dovetail.artifacts.bars import Bars

__all__ = ["Progress", "Transferred", "Watched", "followed"]

_PATIENCE = 0.5  # seconds before anything is shown: most transfers are over by then
_WORTHWHILE = 2.0  # seconds still to come: loading what draws costs a twentieth of one, and a flash of a bar disturbs
_FRAME = 0.2  # seconds between two looks; a drawing takes one or two thousandths


@dataclass(frozen=True)
class Transferred:
    """How far a transfer is.

    Args:
        files: Files that are complete.
        all_files: Files in all.
        size: Bytes moved so far, unfinished files included.
        all_size: Bytes in all; None where the store does not tell.
    """

    files: int
    all_files: int
    size: int
    all_size: int | None

    @property
    def share(self) -> float:
        """The part that is done, from 0 to 1: of the bytes, or of the files where bytes are not known."""
        done, everything = (self.size, self.all_size) if self.all_size else (self.files, self.all_files)
        return done / everything if everything else 0.0


class Progress(Protocol):
    """What is told about a transfer: called after every block and every file, by one thread at a time."""

    def __call__(self, transferred: Transferred, /) -> None:
        """Take note of how far the transfer is."""


@contextmanager
def followed(what: str, progress: Progress | None) -> Iterator[Progress | None]:
    """Whom to tell about the transfer in the block: the caller's own progress, else the terminal, else nobody.

    The terminal shows a transfer that takes long, until the block is left: then its bar is gone from the screen, so
    that an error is printed on a clean line. Only a person who sees standard error gets one: what is piped, and a
    notebook, stays as it is. The setting ``artifacts_progress`` turns it off.

    Args:
        what: The words beside the bar, such as ``Uploading model``.
        progress: What the caller of the transfer gave.

    Raises:
        InvalidSetting: ``artifacts_progress`` is set to something that is neither true nor false.
    """
    if progress is not None or not _somebody_looks():
        yield progress
        return
    transfer = Watched(what)
    try:
        _board.put_up(transfer)
        yield transfer
    finally:
        _board.take_down(transfer)


def _somebody_looks() -> bool:
    screen = sys.stderr
    if screen is None or screen.closed or not screen.isatty() or os.environ.get("TERM") in ("dumb", "unknown"):
        return False
    # A live display of the program's own must not be painted over; a forked child shares its parent's screen.
    return not hasattr(screen, "rich_proxied_file") and _board.is_ours and bool(settings.get("artifacts_progress"))


class Watched:
    """A transfer that somebody at the terminal may want to see.

    Attributes:
        what: The words beside its bar.
        now: How far it is; None before anything is known.
    """

    def __init__(self, what: str) -> None:
        self.what = what
        self.now: Transferred | None = None
        self._begun = time.monotonic()

    def __call__(self, transferred: Transferred, /) -> None:
        """Take note; nothing else, because it is called for every block."""
        self.now = transferred

    def takes_long(self) -> bool:
        """Whether it has lasted a while and is not about to end."""
        lasted = time.monotonic() - self._begun
        share = self.now.share if self.now else 0.0
        remaining = lasted * (1 - share) / share if share else inf
        return lasted >= _PATIENCE and remaining >= _WORTHWHILE


class _Board:
    """The transfers of this process, and the one thread that draws them: a terminal has room for one live display.

    The thread lives while there are transfers. Whoever transfers only takes note of numbers; all that is written to
    the terminal is written by that thread, which no Ctrl-C interrupts.
    """

    def __init__(self) -> None:
        self.is_ours = True
        self._clear()

    def _clear(self) -> None:
        self._changed = threading.Condition()
        self._transfers: list[Watched] = []
        self._drawn: list[Watched] = []
        self._painter: threading.Thread | None = None

    def leave_to_parent(self) -> None:
        """In a forked child: the thread is not here, and the screen is the parent's."""
        self.is_ours = False
        self._clear()

    def put_up(self, transfer: Watched) -> None:
        """Show it once it takes long."""
        with self._changed:
            self._transfers.append(transfer)
            if self._painter is not None:
                return
            # No daemon, even where a daemon transfers: it would die in the middle of a line when the interpreter ends.
            painter = threading.Thread(target=self._paint, name="dovetail-progress", daemon=False)
            with suppress(RuntimeError):  # the interpreter is ending, or has too many threads: nothing is shown
                painter.start()
                self._painter = painter

    def take_down(self, transfer: Watched) -> None:
        """Return when nothing of it is on the screen any more."""
        with self._changed:
            if transfer in self._transfers:
                self._transfers.remove(transfer)
            self._changed.notify_all()
            self._changed.wait_for(lambda: transfer not in self._drawn)

    def _paint(self) -> None:
        try:
            while self._somebody_waits():
                # Without holding the lock: loading this takes a moment, and a transfer may end meanwhile.
                from dovetail.artifacts.bars import Bars

                self._draw(Bars())
        except (OSError, ValueError):  # the terminal is gone, or closed: nobody looks any more
            return
        finally:
            with self._changed:
                if self._painter is threading.current_thread():
                    self._painter = None

    def _somebody_waits(self) -> bool:
        """Wait until a transfer takes long; false when all ended before."""
        with self._changed:
            while self._under_way() and not self._long():
                self._changed.wait(_FRAME)
            if not self._under_way():
                self._painter = None  # before the lock is given back: the next transfer starts another one
                return False
            return True

    def _draw(self, bars: Bars) -> None:
        with self._changed:
            try:
                with bars:
                    while long := self._long():
                        bars.draw(long)
                        self._drawn = long
                        self._changed.notify_all()
                        self._changed.wait(_FRAME)
            finally:
                self._drawn = []
                self._changed.notify_all()

    def _long(self) -> list[Watched]:
        """What is to be on the screen; what is there stays there to its end."""
        return [each for each in self._under_way() if each in self._drawn or each.takes_long()]

    def _under_way(self) -> list[Watched]:
        # An interpreter that ends waits for this thread, which must not wait for the transfers of daemon threads.
        return self._transfers if threading.main_thread().is_alive() else []


_board = _Board()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_board.leave_to_parent)
