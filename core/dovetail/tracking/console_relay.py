"""The process between a run's standard output and where it went before: it passes everything on and keeps a copy.

A process of its own, so that code that prints while it holds the interpreter's lock cannot wait for itself, and so that
what a process printed is whole however it ends. It is run by its path, and imports the standard library alone::

    python -I -S console_relay.py <folder> <token> <descriptor of the lock> <source>:<target>...

A source without a target is kept and not passed on.
"""

from __future__ import annotations

import os
import re
import signal
import sys
import threading
import time
from contextlib import suppress

__all__ = ["ACKNOWLEDGED", "RUNS", "Spool", "kept", "mark"]

PART = 4 << 20
"""Bytes of a file of a spool."""
PARTS = 4
"""How many files a spool has at most: the first, and the last ones."""
ACKNOWLEDGED, RUNS = "acknowledged", "runs.json"
_LONGEST_LINE = 64 << 10
_CHUNK = 64 << 10
_NUMBER = 20  # digits


class Spool:
    """What was printed, as files of a folder: lines as a terminal shows them, the beginning and the end.

    Of a line that was written over again and again, as progress bars do, the last state is kept.

    Args:
        folder: Where the files lie; a file is named by how many bytes came before it.
    """

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._line = b""
        self._begin, self.end = 0, 0
        self._parts: list[str] = []
        self._file: int | None = None
        self._failed = False

    def write(self, data: bytes) -> None:
        """Keep what was printed; the line that is not complete is kept with its end."""
        with self._lock:
            *lines, self._line = (self._line + data).split(b"\n")
            if lines:
                self._append(b"".join(_shown(line) + b"\n" for line in lines))
            if len(self._line) > _CHUNK:
                self._line = _shown(self._line)
            if len(self._line) > _LONGEST_LINE:
                self._settle()

    def settle(self) -> int:
        """Keep the line that is not complete as it is; return how many bytes were kept until now."""
        with self._lock:
            self._settle()
            return self.end

    def close(self) -> None:
        """Keep the rest."""
        self.settle()
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _settle(self) -> None:
        self._append(_shown(self._line))
        self._line = b""

    def _append(self, data: bytes) -> None:
        self.end += len(data)
        if not data or self._failed:
            return
        try:
            if self._file is None or self.end - self._begin > PART:
                self._next_part(self.end - len(data))
            _write(self._file, data)
        except OSError:
            # No room, or somebody removed the folder: what is printed goes on to where it belongs.
            self._failed = True

    def _next_part(self, begin: int) -> None:
        if self._file is not None:
            os.close(self._file)
        self._begin = begin
        path = os.path.join(self._folder, f"{begin:0{_NUMBER}}")  # noqa: PTH118 - without pathlib it starts sooner
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self._parts.append(path)
        if len(self._parts) > PARTS:
            os.unlink(self._parts.pop(1))  # noqa: PTH108


def kept(folder: str, start: int, end: int | None = None) -> bytes:
    """What a spool has from one place to another; where something is missing it says so."""
    content, place = [], start
    for name in sorted(each for each in os.listdir(folder) if len(each) == _NUMBER and each.isdigit()):  # noqa: PTH208
        with suppress(FileNotFoundError), open(os.path.join(folder, name), "rb") as file:  # noqa: PTH118, PTH123
            data, begin = file.read(), int(name)
            if begin > place:
                content.append(b"\n... %d bytes are not kept here ...\n\n" % (begin - place))
            part = data[max(0, place - begin) : None if end is None else max(0, end - begin)]
            content.append(part)
            place = max(place, begin + len(data))
    return b"".join(content)


def mark(token: str, number: int) -> bytes:
    """What is written between two runs' outputs, and taken out again: terminals would not show it either."""
    return b"%s%d\x07" % (_opening(token), number)


def _opening(token: str) -> bytes:
    return b"\x1b]dovetail;%s;" % token.encode()


def _shown(line: bytes) -> bytes:
    """What a terminal shows of a line in the end."""
    if b"\r" not in line:
        return line
    return line.rstrip(b"\r").rpartition(b"\r")[2]


def _write(descriptor: int | None, data: bytes) -> None:
    view = memoryview(data)
    while view and descriptor is not None:
        view = view[_written(descriptor, view) :]


def _written(descriptor: int, view: memoryview) -> int:
    try:
        return os.write(descriptor, view)
    except BlockingIOError:  # somebody switched waiting off
        time.sleep(0.01)
        return 0


class _Channel:
    """Passes on what comes from a source."""

    def __init__(self, spool: Spool, source: int, target: int | None, token: str, acknowledged: int) -> None:
        self._spool, self._source, self._target = spool, source, target
        self._opening, self._acknowledged = _opening(token), acknowledged
        self._mark = re.compile(re.escape(self._opening) + rb"(\d+)\x07")
        self._terminal = target is not None and os.isatty(target) and os.isatty(source)

    def run(self) -> None:
        """Go on until nobody can write any more."""
        rest = b""
        while chunk := self._read():
            rest = self._pass_on(rest + chunk)
        self._keep(rest)

    def _read(self) -> bytes:
        try:
            return os.read(self._source, _CHUNK)
        except OSError:  # how the end of a terminal shows
            return b""

    def _pass_on(self, data: bytes) -> bytes:
        """Pass on what is no mark; return what may be the beginning of one."""
        begin = data.rfind(b"\x1b")
        tail = data[begin:] if begin >= 0 else b""
        if not self._may_be_mark(tail):
            begin = len(data)
        place = 0
        for found in self._mark.finditer(data, 0, begin):
            self._keep(data[place : found.start()])
            with suppress(OSError):  # no room; who waits for it does so for a moment only
                os.write(self._acknowledged, b"%s %d\n" % (found[1], self._spool.settle()))
            place = found.end()
        self._keep(data[place:begin])
        return data[begin:]

    def _may_be_mark(self, tail: bytes) -> bool:
        if not tail or b"\x07" in tail or len(tail) > len(self._opening) + _NUMBER:
            return False
        return self._opening.startswith(tail) or tail.startswith(self._opening)

    def _keep(self, data: bytes) -> None:
        if data:
            if self._terminal:
                self._resize()
            try:
                _write(self._target, data)
            finally:
                self._spool.write(data)

    def _resize(self) -> None:
        """Let programs know how wide the terminal is by now."""
        with suppress(OSError, ValueError):
            import fcntl
            import termios

            size = fcntl.ioctl(self._target or 0, termios.TIOCGWINSZ, b"\0" * 8)
            if size != fcntl.ioctl(self._source, termios.TIOCGWINSZ, b"\0" * 8):
                fcntl.ioctl(self._source, termios.TIOCSWINSZ, size)


def _main(folder: str, token: str, lock: int, pairs: list[str]) -> None:
    for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):  # what it serves ends it by ending
        signal.signal(each, signal.SIG_IGN)
    spool = Spool(folder)
    acknowledged = os.open(f"{folder}/{ACKNOWLEDGED}", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    channels = []
    for pair in pairs:
        source, _, target = pair.partition(":")
        channels.append(_Channel(spool, int(source), int(target) if target else None, token, acknowledged))
    # What cannot be passed on ends the relay: then its process finds out by itself, as it would have without.
    threads = [threading.Thread(target=_run, args=[each, spool], daemon=True) for each in channels]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    spool.close()
    if os.path.exists(f"{folder}/{RUNS}"):  # noqa: PTH110 - the process has not ended its runs, and is no more
        os.close(lock)
        source_code = "import sys; from dovetail.tracking.console import recover; recover(sys.argv[1])"
        os.execv(sys.executable, [sys.executable, "-c", source_code, folder])  # noqa: S606 - ourselves


def _run(channel: _Channel, spool: Spool) -> None:
    try:
        channel.run()
    except OSError:
        spool.close()
        os._exit(1)


if __name__ == "__main__":
    _main(sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4:])
