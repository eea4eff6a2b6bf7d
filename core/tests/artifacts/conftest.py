"""A terminal, as the person in front of it sees it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import textwrap
import time
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

# A store that takes its time, and a folder and a file to put into it.
PREAMBLE = """
import io, os, signal, sys, threading, time
from pathlib import Path
from dovetail.artifacts import transfer
from dovetail.errors import StoreUnavailable
from dovetail.testing.memory_artifacts import MemoryArtifactStore
from dovetail.testing.streams import generated
from dovetail.values import FileInfo

class Store(MemoryArtifactStore):
    # Slow until the test has seen enough.
    def pause(self):
        if not Path("enough").exists():
            time.sleep(0.1)

    def put(self, path, stream):
        while stream.read(1 << 20):
            self.pause()

    def list(self, path=""):
        return iter(() if path else [FileInfo(f"{number}", False, 20 << 20) for number in range(16)])

    def open(self, path):
        return Slow(self, generated(20 << 20))

class Slow(io.RawIOBase):
    def __init__(self, store, stream):
        self.store, self.stream = store, stream

    def read(self, size=-1):
        self.store.pause()
        return self.stream.read(size)

def made(name, files=16, blocks=20):
    folder = Path(name)
    folder.mkdir()
    for number in range(files):
        with (folder / str(number)).open("wb") as file:
            file.truncate(blocks << 20)
    return folder

def alone():
    # no thread is left, be it after a moment
    [each.join(5) for each in threading.enumerate() if each is not threading.main_thread()]
    return threading.active_count() == 1

def say(*words):
    print(*words, file=sys.stderr, flush=True)
"""


class Screen:
    """What is to be seen after all that was written: the few commands that bars need, anything else is an error."""

    def __init__(self, written: str) -> None:
        self.lines = [""]
        self.row = self.column = 0
        self.cursor_is_shown = True
        for command, text in re.findall(r"(\x1b\[[0-9;?]*[A-Za-z]|[\r\n])|([^\x1b\r\n]+|\x1b)", written):
            if command:
                self._obey(command)
            else:
                assert text.isprintable(), f"{text!r} steers the terminal"
                line = self.lines[self.row].ljust(self.column)
                self.lines[self.row] = line[: self.column] + text + line[self.column + len(text) :]
                self.column += len(text)

    def _obey(self, command: str) -> None:
        if command == "\n":
            self.row += 1
            self.lines += [""] * (self.row + 1 - len(self.lines))
        elif command == "\r":
            self.column = 0
        elif command == "\x1b[2K":
            self.lines[self.row] = ""
        elif command.endswith("A"):
            self.row -= int(command[2:-1])
        elif command in ("\x1b[?25h", "\x1b[?25l"):
            self.cursor_is_shown = command.endswith("h")
        else:
            assert command.endswith("m"), command

    @property
    def text(self) -> list[str]:
        return [line.rstrip() for line in self.lines if line.strip()]


class Terminal:
    """A program whose standard error is a terminal."""

    def __init__(self, folder: Path, script: str, **variables: str) -> None:
        self.folder = folder
        self.master, slave = os.openpty()
        environment = {**os.environ, "TERM": "xterm", "COLUMNS": "100", **variables}
        environment.pop("NO_COLOR", None)
        command = [sys.executable, "-c", PREAMBLE + textwrap.dedent(script)]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=slave, cwd=folder, env=environment)
        os.close(slave)
        self.written = ""

    def read(self) -> bool:
        try:
            chunk = os.read(self.master, 65536)
        except OSError:  # how Linux says that nobody has the terminal open any more
            chunk = b""
        self.written += chunk.decode(errors="replace")
        return bool(chunk)

    def read_until(self, words: str) -> None:
        while words not in self.written:
            assert self.read(), self.written

    def hurry(self) -> None:
        """Let the store be as fast as it can."""
        (self.folder / "enough").touch()

    def finish(self, after: str | float = 0.0) -> Screen:
        """Wait for the end, with a slow store until these words are to be seen or these seconds are over."""
        if isinstance(after, str):
            self.read_until(after)
        else:
            time.sleep(after)
        self.hurry()
        while self.read():
            pass
        assert self.process.wait(timeout=30) == 0, self.written
        return self.screen

    @property
    def screen(self) -> Screen:
        return Screen(self.written)

    @property
    def words(self) -> str:
        """What was written, without colors."""
        return re.sub(r"\x1b\[[0-9;]*m", "", self.written)

    def close(self) -> None:
        self.process.kill()
        self.process.communicate()
        os.close(self.master)


@pytest.fixture
def at_terminal(tmp_path: Path) -> Iterator[Callable[..., Terminal]]:
    """Starts programs whose standard error is a terminal, after the preamble, in a fresh folder."""
    if sys.platform == "win32":
        pytest.skip("terminals of POSIX")
    started: list[Terminal] = []

    def start(script: str, **variables: str) -> Terminal:
        started.append(Terminal(tmp_path, script, **variables))
        return started[-1]

    yield start
    for terminal in started:
        terminal.close()


@pytest.fixture
def preamble() -> str:
    """The store and folders that scripts at the terminal have."""
    return PREAMBLE
