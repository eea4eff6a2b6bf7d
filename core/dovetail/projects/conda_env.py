"""``conda.yaml``, as far as managers without conda can follow it: Python and the pip part."""

from __future__ import annotations

import re
import warnings
from typing import TYPE_CHECKING, Any

from dovetail.documents import read_yaml, shown
from dovetail.environments.spec import EnvSpec, read_requirements
from dovetail.errors import InvalidProject

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["read_conda_env"]

_PYTHON = re.compile(r"(?:[\w\-./]+::)?python\s*(?P<bound>[=<>!~].*)?\Z")
_PIP = re.compile(r"(?:[\w\-./]+::)?pip\s*(?:[=<>!~].*)?\Z")
_INCLUDE = re.compile(r"(?:-r|--requirement)[\s=]*(.+)")
# conda writes one or two equal signs for a version, and a build string behind a further one.
_EXACT = re.compile(r"={1,2}\s*([0-9]+(?:\.[0-9]+)*)(?:\.?\*)?\s*(?:=.*)?")
_BOUNDS = re.compile(r"(?:[<>!~]=?\s*[0-9]+(?:\.[0-9]+)*\s*(?:,\s*|\Z))+")


def read_conda_env(path: Path) -> EnvSpec:
    """Python version and pip dependencies of a conda environment file.

    Other conda packages are left out with one warning that names them: only conda can install them.

    Raises:
        InvalidProject: The file is wrong.
    """
    content = read_yaml(path, error=InvalidProject)
    dependencies = content.get("dependencies") or []
    if not isinstance(dependencies, list):
        raise InvalidProject(
            f"{path}: dependencies must be a list, not {type(dependencies).__name__}.",
            hint="dependencies: [python=3.11]",
        )
    parts = [_pip(path, each) for each in dependencies if isinstance(each, dict)]
    names = [str(each).strip() for each in dependencies if not isinstance(each, dict)]
    _name_left_out(path, [name for name in names if not _PYTHON.match(name) and not _PIP.match(name)])
    return EnvSpec(
        _version(path, names),
        tuple(line for lines, _ in parts for line in lines),
        constraints=tuple(line for _, lines in parts for line in lines),
        source=str(path),
    )


def _name_left_out(path: Path, names: list[str]) -> None:
    if names:
        verb = "is" if len(names) == 1 else "are"
        warnings.warn(f"{path}: {', '.join(names)} can only be installed by conda and {verb} left out.", stacklevel=4)


def _pip(path: Path, entry: dict[str, Any]) -> tuple[list[str], list[str]]:
    """Requirements and constraints of a ``pip`` entry, with the files that it includes."""
    lines = entry.get("pip")
    if set(entry) != {"pip"} or not isinstance(lines, list) or not all(isinstance(line, str) for line in lines):
        raise InvalidProject(
            f"{path}: expected a list of requirements below pip, found {shown(entry)}.", hint="- pip: [pandas]"
        )
    requirements: list[str] = []
    constraints: list[str] = []
    for line in map(str.strip, lines):
        include = _INCLUDE.fullmatch(line)
        found, bounds = read_requirements(path.parent / include[1]) if include else ((line,), ())
        requirements += found
        constraints += bounds
    return requirements, constraints


def _version(path: Path, names: list[str]) -> str | None:
    found = next((match for name in names if (match := _PYTHON.match(name))), None)
    bound = ((found and found["bound"]) or "").strip()
    if exact := _EXACT.fullmatch(bound):
        return exact[1]
    if bound and not _BOUNDS.fullmatch(bound):
        raise InvalidProject(f"{path}: python{bound} is no version of Python.", hint="For example python=3.11.")
    return bound or None
