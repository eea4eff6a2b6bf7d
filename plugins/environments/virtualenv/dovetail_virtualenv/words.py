"""What virtualenv and pip are told by variables, and what people are told of what they say."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["pip_step", "pip_variables", "virtualenv_variables"]

_DOWNLOAD = re.compile(r"\s*Downloading (?:\S*/)?([^/\s?#]+)(?:[?#]\S*)?( \([^)]*\))?")
_BUILD = re.compile(r"\s*(Building wheels? for .+?|Running setup\.py install for \S+?)(?: \(.*)?(?:: started)?")
_INSTALL = re.compile(r"Installing collected packages: (.+)")
_MOST_NAMED = 4
# They point Python at other modules or another installation than the environment's own.
_ASTRAY = ("PYTHONHOME", "PYTHONPATH", "VIRTUAL_ENV", "CONDA_PREFIX", "__PYVENV_LAUNCHER__", "FORCE_COLOR")
# They make pip install somewhere else, from something else, or not at all.
_ELSEWHERE = tuple(
    f"PIP_{name}"
    for name in ("USER", "TARGET", "PREFIX", "ROOT", "PYTHON", "DRY_RUN", "REQUIREMENT", "EDITABLE", "REPORT", "QUIET")
)


def virtualenv_variables(env: Mapping[str, str]) -> dict[str, str]:
    """The variables for virtualenv, without its own settings: they could make an environment of another kind.

    Args:
        env: The variables of this process.
    """
    kept = ("VIRTUALENV_OVERRIDE_APP_DATA",)
    return {
        name: value for name, value in _unmisled(env).items() if not name.startswith("VIRTUALENV_") or name in kept
    } | {"VIRTUALENV_CONFIG_FILE": os.devnull}


def pip_variables(env: Mapping[str, str]) -> dict[str, str]:
    """The variables for pip: its settings as they are, but for those that say where to install and what.

    Args:
        env: The variables of this process.
    """
    return {name: value for name, value in _unmisled(env).items() if name not in _ELSEWHERE}


def pip_step(line: str) -> str | None:
    """What is worth telling of a line that pip says; None for most of them."""
    if match := _DOWNLOAD.fullmatch(line):
        return f"downloading {match[1]}{match[2] or ''}"
    if match := _BUILD.fullmatch(line):
        return match[1][0].lower() + match[1][1:]
    if match := _INSTALL.fullmatch(line):
        names = match[1].split(", ")
        more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
        return f"unpacking {', '.join(names[:_MOST_NAMED])}{more}"
    return "pip does not reach the index and tries again" if "Retrying (" in line else None


def _unmisled(env: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in env.items() if name not in _ASTRAY}
