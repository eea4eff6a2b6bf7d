"""Running the programs that make environments: what they say is condensed, and they end when we do."""

from __future__ import annotations

import subprocess
from collections import deque
from typing import TYPE_CHECKING

from dovetail.posix import end_group, start_group

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from dovetail.environments.manager import Progress

__all__ = ["ProgramFailed", "run_program"]

_KEPT_LINES = 30
_GRACE = 5.0


class ProgramFailed(Exception):
    """The program ended with an error.

    Args:
        program: What people call it.
        code: Its exit code.
        words: The last lines of what it said.
    """

    def __init__(self, program: str, code: int, words: str) -> None:
        super().__init__(f"{program} exited with {code}: {words}")
        self.code = code
        self.words = words


def run_program(
    argv: Sequence[str],
    *,
    folder: Path,
    env: Mapping[str, str],
    step: Callable[[str], str | None],
    progress: Progress,
    keep: Sequence[int] = (),
    grace: float = _GRACE,
) -> str:
    """Run a program to its end, without a shell, and return the last lines of what it said.

    Args:
        argv: Program and arguments.
        folder: Its working folder.
        env: All variables it sees.
        step: What a line it says is worth telling people; None for the many that are not.
        progress: Told these.
        keep: Descriptors it inherits, such as a lock that must be held for as long as it runs.
        grace: Seconds it may take to end when it is interrupted, before it is killed with all it started.

    Raises:
        ProgramFailed: It ended with an error, or cannot be started.
    """
    try:
        process = start_group(argv, env=env, cwd=folder, keep=keep, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    except OSError as error:
        raise ProgramFailed(argv[0], 127, f"{error.filename or argv[0]}: {error.strerror}") from error
    with process:
        try:
            words = _follow(process, step, progress)
        except BaseException:
            # The interrupt key reaches only us; it must not go on in a folder that is about to be removed.
            end_group(process, grace=grace)
            raise
    if process.returncode:
        raise ProgramFailed(argv[0], process.returncode, words)
    return words


def _follow(process: subprocess.Popen[bytes], step: Callable[[str], str | None], progress: Progress) -> str:
    last: deque[str] = deque(maxlen=_KEPT_LINES)
    for raw in process.stdout or ():
        line = raw.decode("utf-8", "replace").rstrip()
        if line:
            last.append(line)
        if told := step(line):
            progress(told)
    process.wait()
    return "\n".join(last)
