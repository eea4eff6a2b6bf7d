"""The program uv: where it is, what it is told, what it says."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from dovetail.environments.program import run_program
from dovetail.errors import EnvironmentFailed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from dovetail.environments.manager import Progress
    from dovetail.environments.virtual_manager import Work

__all__ = ["ask_uv", "run_uv", "uv_options", "uv_variables"]

_STEPS = re.compile(r"(Resolved|Prepared|Installed|Building|Built|Downloading) ")
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


def run_uv(arguments: Sequence[str], work: Work) -> None:
    """Run uv for the making of an environment.

    Args:
        arguments: What it is told.
        work: What is being made.

    Raises:
        ProgramFailed: It ended with an error.
        EnvironmentFailed: It is not there.
    """
    _run(arguments, work.root.parent, work.progress, (work.lock,))


def ask_uv(arguments: Sequence[str], folder: Path, progress: Progress) -> str:
    """Run uv and return the last lines of what it said.

    Args:
        arguments: What it is told.
        folder: The working folder. uv looks for settings of projects in it and above, so it should be in none.
        progress: Told about the steps that uv reports.

    Raises:
        ProgramFailed: It ended with an error.
        EnvironmentFailed: It is not there.
    """
    return _run(arguments, folder, progress, ())


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


def _run(arguments: Sequence[str], folder: Path, progress: Progress, keep: tuple[int, ...]) -> str:
    argv = [_program(), *arguments, "--no-progress", "--color", "never"]
    return run_program(argv, folder=folder, env=uv_variables(os.environ), step=_step, progress=progress, keep=keep)


def _step(line: str) -> str | None:
    return line if _STEPS.match(line) else None


def _program() -> str:
    try:
        import uv

        return str(uv.find_uv_bin())
    except (ImportError, FileNotFoundError) as error:
        raise EnvironmentFailed(
            f"The program uv is not in this installation: {error}.",
            hint="Install it again: pip install --force-reinstall uv; or use another environment manager.",
        ) from error
