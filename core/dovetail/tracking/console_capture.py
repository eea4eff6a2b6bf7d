"""Standard output and error led through a relay: what this process, its children and C code print is kept and shown."""

from __future__ import annotations

import os
import secrets
import sys
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from dovetail import posix
from dovetail.tracking import console_relay
from dovetail.tracking.console_relay import ACKNOWLEDGED, Spool, kept, mark

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable
    from pathlib import Path

__all__ = ["LOCK", "Capture"]

LOCK = "lock"
_PATIENCE = 2.0
"""Seconds that a mark may take on its way: a terminal may be stopped."""
_FAREWELL = 1.0
"""Seconds that the relay may take to end; while children that go on hold the output it does not."""
_PACE = 0.001
_ROUND = 0.05
"""Seconds between two looks at what still arrives for a relay that died."""


class Capture:
    """Keeps what is printed from when it is made until it is stopped.

    Args:
        folder: Where it is kept; it is made.
        env: Variables of the relay, for what it does when this process ends without stopping it.

    Raises:
        OSError: The folder cannot be made or written to.
    """

    def __init__(self, folder: Path, env: dict[str, str]) -> None:
        self.folder = posix.private_folder(folder)
        self._token, self._marks = secrets.token_hex(8), 0
        self._lease = posix.hold(folder / LOCK)
        self._ways: list[_Way] = []
        self._streams: list[_Stream] = []
        self._marking = threading.Lock()
        self._relay = self._started(env)
        self._spool = None if self._relay else Spool(str(folder))
        sink = self._spool.write if self._spool else self._ways[-1].write
        for stream in (sys.stdout, sys.stderr):
            if stream is not None and not (self._relay and _is_descriptor(stream)):
                self._streams.append(_Stream(stream, sink))
        if self._relay:
            threading.Thread(target=self._watch, args=[self._relay], name="dovetail-relay", daemon=True).start()

    def settled(self) -> int:
        """See to it that all that was printed so far is kept; return how many bytes that is."""
        if self._spool is not None:
            return self._spool.settle()
        with self._marking:
            return self._marked()

    def note(self, text: str) -> None:
        """Keep a text that is not shown."""
        data = text.encode("utf-8", "replace")
        if self._spool is not None:
            self._spool.write(data)
        elif self._ways:
            self._ways[-1].write(data)

    def content(self, start: int, end: int | None = None) -> bytes:
        """What was kept from one place to another."""
        return kept(str(self.folder), start, end)

    def stop(self) -> None:
        """Let output go where it went before."""
        for stream in self._streams:
            stream.restore()
        _flush()
        for way in self._ways:
            if self._relay is not None and self._relay.poll() is not None:
                way.carry()
            way.restore()
        if self._spool is not None:
            self._spool.close()
        if self._relay is not None:
            _say_farewell(self._relay)
        os.close(self._lease)

    def abandon(self) -> None:
        """Leave it to the parent, in a forked child; what the child prints is kept there all the same."""
        if self._spool is not None:
            for stream in self._streams:
                stream.restore()

    # --- steps -----------------------------------------------------------------------------------------------

    def _started(self, env: dict[str, str]) -> subprocess.Popen[bytes] | None:
        """The relay, with standard output and error led to it; None where there can be none."""
        if sys.platform == "win32" or not sys.executable or getattr(sys, "frozen", False):
            return None
        import subprocess

        _flush()
        self._ways = _ways()
        pairs = [f"{way.source}:{'' if way.target is None else way.target}" for way in self._ways]
        keep = [self._lease, *(each for way in self._ways for each in (way.source, way.target) if each is not None)]
        argv = [sys.executable, "-I", "-S", console_relay.__file__, str(self.folder), self._token, str(self._lease)]
        try:
            relay = subprocess.Popen(  # noqa: S603 - ourselves
                [*argv, *pairs],
                env=env,
                pass_fds=keep,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
        except OSError:
            for way in self._ways:
                way.restore()
            self._ways = []
            return None
        for way in self._ways:
            way.lead()
        return relay

    def _watch(self, relay: subprocess.Popen[bytes]) -> None:
        """Should the relay die, nothing that is printed may wait for it."""
        with suppress(ChildProcessError):
            relay.wait()
        for way in self._ways:
            way.lead_back()
        # A thread in the midst of a write still fills the old way, children do for as long as they live.
        while sum(way.carry() for way in self._ways):
            time.sleep(_ROUND)

    def _marked(self) -> int:
        _flush()
        self._marks += 1
        ways = [way for way in self._ways if way.is_led]
        for way in ways:
            way.write(mark(self._token, self._marks))
        until = time.monotonic() + _PATIENCE
        while len(places := self._acknowledged()) < len(ways) and time.monotonic() < until:
            time.sleep(_PACE)
        return max(places, default=0)

    def _acknowledged(self) -> list[int]:
        try:
            lines = (self.folder / ACKNOWLEDGED).read_text("ascii").splitlines()
        except FileNotFoundError:  # the relay has not begun yet
            return []
        found = [line.split() for line in lines]
        return [int(words[1]) for words in found if len(words) > 1 and words[0] == str(self._marks)]


class _Way:
    """A pipe to the relay; a pseudo-terminal where output went to a terminal, so that programs see one.

    Args:
        descriptors: Those of this process that are led into it; none for what is not shown.
    """

    def __init__(self, *descriptors: int) -> None:
        self._descriptors = descriptors
        self._originals = [os.dup(each) for each in descriptors]
        self.target = self._originals[0] if descriptors else None
        self.source, self._entry = os.pipe() if self.target is None else _pipe_like(self.target)
        self._lock = threading.Lock()
        self._open = {*self._originals, self.source, self._entry}
        self.is_led = False

    def lead(self) -> None:
        """Lead the output into it."""
        for each in self._descriptors:
            os.dup2(self._entry, each)
        self.is_led = True

    def write(self, data: bytes) -> None:
        """Write to the relay."""
        with suppress(OSError):  # the relay is no more; that is seen to by whoever watches it
            while self.is_led and data:
                data = data[os.write(self._entry, data) :]

    def restore(self) -> None:
        """Let output go where it went before, and close what was opened."""
        self.lead_back()
        with self._lock:
            for each in self._open:
                os.close(each)
            self._open.clear()

    def lead_back(self) -> None:
        """Let output go where it went before."""
        with self._lock:
            if self.is_led:
                self.is_led = False
                for each, original in zip(self._descriptors, self._originals, strict=True):
                    os.dup2(original, each)

    def carry(self) -> bool:
        """Bring what is on the way where it was to go, as nobody else does any more; False once it is closed."""
        with self._lock:
            try:
                while self.source in self._open and (rest := _available(self.source)):
                    if self.target is not None:
                        _write_whole(self.target, rest)
            except OSError:  # it goes nowhere: who still writes fails instead of being told that it was shown
                self._open.remove(self.source)
                os.close(self.source)
        return self.source in self._open


class _Stream:
    """A stream of Python's that is no descriptor, as in notebooks: what is written to it is given to a sink, too."""

    def __init__(self, stream: Any, sink: Callable[[bytes], None]) -> None:
        self._stream, self._sink = stream, sink
        self._inside = threading.local()
        self._both: Callable[[str], Any] | None = None
        self.listen()
        _at_each_cell("register", self.listen)

    def listen(self, *_: object) -> None:
        """See to it that it hears what is written: a notebook sets the stream back at the end of each cell."""
        if self._both is None or getattr(self._stream, "write", None) is not self._both:
            self._before = getattr(self._stream, "__dict__", {}).get("write")
            self._both = self._around(self._stream.write)
            with suppress(AttributeError, TypeError):  # one of C code's, which cannot be changed
                self._stream.write = self._both

    def restore(self) -> None:
        """Let it be as it was, unless somebody else changed it meanwhile."""
        _at_each_cell("unregister", self.listen)
        self._sink = _drop
        if getattr(self._stream, "__dict__", {}).get("write") is not self._both:
            return
        del self._stream.write
        if self._before is not None:
            self._stream.write = self._before

    def _around(self, write: Callable[[str], Any]) -> Callable[[str], Any]:
        def both(text: str) -> Any:
            if getattr(self._inside, "yes", False):  # wrapped twice, with somebody else between
                return write(text)
            self._inside.yes = True
            try:
                self._hear(text)
                return write(text)
            finally:
                self._inside.yes = False

        return both

    def _hear(self, text: str) -> None:
        # A kernel writes here what it reads from the descriptors, which the relay keeps already.
        if threading.current_thread() is not getattr(self._stream, "watch_fd_thread", self):
            self._sink(str(text).encode("utf-8", "replace"))


def _at_each_cell(verb: str, listener: Callable[..., None]) -> None:
    """Register a listener with IPython, where this is a process of its, or take it back."""
    ipython = sys.modules.get("IPython")
    if ipython is not None and (shell := ipython.get_ipython()) is not None:
        with suppress(ValueError):  # it was taken back already
            getattr(shell.events, verb)("pre_run_cell", listener)


def _drop(data: bytes) -> None:
    del data


def _ways() -> list[_Way]:
    """One for output and error, or two if they go to different places; the last one is for what is not shown."""
    there = [each for each in (1, 2) if _is_open(each)]
    together = len(there) > 1 and os.path.sameopenfile(*there)
    return [*([_Way(*there)] if together else [_Way(each) for each in there]), _Way()]


def _available(descriptor: int) -> bytes:
    """What can be read at once; nothing where one would have to wait."""
    os.set_blocking(descriptor, False)
    try:
        return os.read(descriptor, 1 << 16)
    except BlockingIOError:
        return b""


def _write_whole(descriptor: int, data: bytes) -> None:
    while data:
        data = data[os.write(descriptor, data) :]


def _is_open(descriptor: int) -> bool:
    try:
        os.fstat(descriptor)
    except OSError:
        return False
    return True


def _is_descriptor(stream: Any) -> bool:
    """Whether what is written to a stream arrives at standard output or error as the system knows them."""
    try:
        return stream.fileno() in (1, 2)
    except (AttributeError, OSError, ValueError):
        return False


def _pipe_like(target: int) -> tuple[int, int]:
    """A pipe; a pseudo-terminal that changes nothing of what goes through where the target is a terminal."""
    if not os.isatty(target):
        return os.pipe()
    import fcntl
    import termios
    import tty

    source, entry = os.openpty()
    tty.setraw(entry)
    with suppress(OSError):
        fcntl.ioctl(entry, termios.TIOCSWINSZ, fcntl.ioctl(target, termios.TIOCGWINSZ, b"\0" * 8))
    return source, entry


def _flush() -> None:
    """Hand over what Python and C code have printed and still hold."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(AttributeError, OSError, ValueError):  # there is none, it is closed, its reader is gone
            stream.flush()
    if sys.platform != "win32":
        with suppress(ImportError, OSError, AttributeError, ValueError):
            import ctypes

            library = ctypes.CDLL(None)
            # Not all of C's streams at once: one of them may be waiting for somebody to type something.
            name = "__stdoutp" if sys.platform == "darwin" else "stdout"
            library.fflush(ctypes.c_void_p.in_dll(library, name))


_left: list[subprocess.Popen[bytes]] = []  # relays that serve children which go on


def _say_farewell(relay: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + _FAREWELL
    while relay.poll() is None and time.monotonic() < until:
        time.sleep(_PACE)
    _left[:] = [each for each in (*_left, relay) if each.poll() is None]
