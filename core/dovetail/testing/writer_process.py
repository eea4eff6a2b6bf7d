"""A process that writes to a store, as seen from the test that starts it, feeds it and may kill it."""

from __future__ import annotations

import subprocess
import sys
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from typing_extensions import Self

__all__ = ["WriterProcess"]


class WriterProcess:
    """A process that says ``ready``, waits for a line, and prints a line after each call that returned.

    Args:
        module: The program; it is run by ``python -m``.
        arguments: What it is told.
        folder: Where it works.
    """

    def __init__(self, module: str, arguments: Sequence[str], folder: Path) -> None:
        command = [sys.executable, "-m", module, *arguments]
        self._process = subprocess.Popen(  # noqa: S603 - our own program
            command, cwd=folder, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with self._process:
            self._process.kill()

    def go(self) -> None:
        """Let it open the store."""
        assert self._line() == "ready"
        self._send("go")

    def end(self) -> tuple[int, list[str]]:
        """Wait for its end; its exit code and what it acknowledged."""
        lines = self._rest()
        return self._process.wait(timeout=100), lines

    def kill_after(self, count: int, moment: float) -> int:
        """Kill it at a moment (0 to 1) within the call after that many; how many it had acknowledged then."""
        began = time.perf_counter()
        for _ in range(count):
            assert self._line(), "the writer ended by itself"
        time.sleep(moment * (time.perf_counter() - began) / count)
        self._process.kill()
        # What stands in the pipe was acknowledged too; a line without its end was not.
        return count + len(self._rest())

    def _send(self, line: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{line}\n")
        self._process.stdin.flush()

    def _line(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()

    def _rest(self) -> list[str]:
        assert self._process.stdout is not None
        return [line.strip() for line in self._process.stdout if line.endswith("\n")]
