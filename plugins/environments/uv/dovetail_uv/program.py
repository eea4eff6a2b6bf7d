"""The program uv: where it is, what it is told, what it says."""

from __future__ import annotations

import os
import re
from collections import deque
from typing import TYPE_CHECKING

from dovetail.errors import EnvironmentFailed
from dovetail.posix import end_group, start_group

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Mapping
    from pathlib import Path

    from dovetail.environments.manager import Progress

__all__ = ["Uv", "UvFailed", "uv_options", "uv_variables"]

_STEPS = re.compile(r"(Resolved|Prepared|Installed|Building|Built|Downloading) ")
_KEPT_LINES = 30
_GRACE = 5.0
# They would send uv to another interpreter than the one it is told to use, or colour what it says.
_MISLEADING = ("VIRTUAL_ENV", "CONDA_PREFIX", "UV_PYTHON", "UV_SYSTEM_PYTHON", "UV_PROJECT_ENVIRONMENT", "FORCE_COLOR")
# pip's settings that people have already, and uv's names for them. Lists are parted by spaces there, by commas here.
_PIP = (
    ("PIP_FIND_LINKS", ("UV_FIND_LINKS",), ","),
    ("PIP_INDEX_URL", ("UV_DEFAULT_INDEX", "UV_INDEX_URL"), None),
    ("PIP_EXTRA_INDEX_URL", ("UV_INDEX", "UV_EXTRA_INDEX_URL"), " "),
    ("PIP_TRUSTED_HOST", ("UV_INSECURE_HOST",), " "),
    ("PIP_CERT", ("SSL_CERT_FILE",), None),
)


class UvFailed(Exception):
    """The program ended with an error.

    Args:
        code: Its exit code.
        words: The last lines of what it said.
    """

    def __init__(self, code: int, words: str) -> None:
        super().__init__(f"uv exited with {code}: {words}")
        self.code = code
        self.words = words


class Uv:
    """Runs uv in a folder.

    Args:
        folder: The working folder. uv looks for settings of projects in it and above, so it should be in none.
        progress: Told about the steps that uv reports.
        keep: Descriptor that uv inherits: a lock that must be held for as long as it runs.
    """

    def __init__(self, folder: Path, progress: Progress, keep: int | None = None) -> None:
        self._folder = folder
        self._progress = progress
        self._keep = () if keep is None else (keep,)

    def run(self, *arguments: str) -> str:
        """Run it to its end and return the last lines of what it said.

        Raises:
            UvFailed: It ended with an error.
            EnvironmentFailed: It is not there.
        """
        import subprocess

        argv = [_program(), *arguments, "--no-progress", "--color", "never"]
        options = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
        with start_group(argv, env=uv_variables(os.environ), cwd=self._folder, keep=self._keep, **options) as process:
            try:
                words = self._follow(process)
            except BaseException:
                # The interrupt key reaches only us; uv must not go on in a folder that is about to be removed.
                end_group(process, grace=_GRACE)
                raise
        if process.returncode:
            raise UvFailed(process.returncode, words)
        return words

    def _follow(self, process: subprocess.Popen[bytes]) -> str:
        last: deque[str] = deque(maxlen=_KEPT_LINES)
        for raw in process.stdout or ():
            line = raw.decode("utf-8", "replace").rstrip()
            last.append(line)
            if _STEPS.match(line):
                self._progress(line)
        process.wait()
        return "\n".join(last)


def uv_variables(env: Mapping[str, str]) -> dict[str, str]:
    """The variables for uv: as they are, with pip's settings under uv's names where uv's own are not set.

    Args:
        env: The variables of this process.
    """
    variables = {name: value for name, value in env.items() if name not in _MISLEADING}
    for theirs, names, separator in _PIP:
        if (value := env.get(theirs)) and not any(env.get(name) for name in names):
            variables[names[0]] = separator.join(value.split()) if separator else value
    return variables


def uv_options(env: Mapping[str, str]) -> list[str]:
    """The options that carry those of pip's settings for which uv has no variable.

    Args:
        env: The variables of this process.
    """
    off = ("", "0", "f", "false", "n", "no", "off")
    return [] if env.get("PIP_NO_INDEX", "").lower() in off else ["--no-index"]


def _program() -> str:
    try:
        import uv

        return str(uv.find_uv_bin())
    except (ImportError, FileNotFoundError) as error:
        raise EnvironmentFailed(
            f"The program uv is not in this installation: {error}.",
            hint="Install it again: pip install --force-reinstall uv; or use another environment manager.",
        ) from error
