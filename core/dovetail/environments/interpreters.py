"""The Python interpreters of this machine, and which of them a spec asks for."""

from __future__ import annotations

import os
import re
import sys
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Interpreter", "PythonVersion", "installed_interpreters", "matching_interpreter", "running_interpreter"]

_CLAUSE = re.compile(r"(==|=|!=|<=|>=|<|>|~=)?\s*(\d+(?:\.\d+){0,2})\Z")
_FULL = re.compile(r"\d+\.\d+\.\d+\Z")


@dataclass(frozen=True)
class Interpreter:
    """One interpreter.

    Args:
        version: Its full version, such as ``(3, 11, 7)``.
        path: The program.
    """

    version: tuple[int, int, int]
    path: Path

    def __str__(self) -> str:
        return ".".join(map(str, self.version))


@dataclass(frozen=True)
class PythonVersion:
    """What a spec says about Python: a version, whose missing parts may be anything, or comparisons with commas.

    ``3.11``, ``=3.11`` and ``==3.11`` all mean any 3.11; ``!=3.11`` means none of them. The other comparisons work
    as in requirement lines.

    Args:
        text: As ``EnvSpec.python`` holds it.
    """

    text: str

    def allows(self, version: tuple[int, int, int]) -> bool:
        """Whether an interpreter of this version will do."""
        return all(_allows(clause.strip(), version) for clause in self.text.split(","))

    @property
    def series(self) -> tuple[int, ...]:
        """The first major and minor version it names; what comes near to it shares them."""
        match = re.search(r"(\d+)(?:\.(\d+))?", self.text)
        return tuple(int(part) for part in match.groups() if part) if match else ()


def running_interpreter() -> Interpreter:
    """The one that runs this process."""
    return Interpreter(sys.version_info[:3], Path(sys.executable))


def installed_interpreters() -> tuple[Interpreter, ...]:
    """The running one, then those that pyenv has installed, newest first; none of them is started."""
    root = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv") / "versions"
    folders = sorted(root.iterdir()) if root.is_dir() else []
    found = [_pyenv(folder) for folder in folders if _FULL.match(folder.name)]
    newest = sorted((each for each in found if each.path.exists()), key=lambda each: each.version, reverse=True)
    return (running_interpreter(), *newest)


def matching_interpreter(python: str | None) -> Interpreter | None:
    """The interpreter a spec means: the running one if it will do, else the newest of pyenv's, else None.

    Args:
        python: ``EnvSpec.python``.
    """
    if python is None:
        return running_interpreter()
    wanted = PythonVersion(python)
    return next((each for each in installed_interpreters() if wanted.allows(each.version)), None)


def _pyenv(folder: Path) -> Interpreter:
    major, minor, patch = (int(part) for part in folder.name.split("."))
    program = "python.exe" if sys.platform == "win32" else "bin/python"
    return Interpreter((major, minor, patch), folder / program)


def _allows(clause: str, version: tuple[int, int, int]) -> bool:
    match = _CLAUSE.match(clause)
    if match is None:
        return False
    parts = tuple(int(part) for part in match.group(2).split("."))
    return _compare(match.group(1) or "=", version, parts)


def _compare(operator: str, version: tuple[int, ...], parts: tuple[int, ...]) -> bool:
    same = version[: len(parts)] == parts
    floor = (*parts, 0, 0)[:3]
    if operator == "~=":
        return version >= floor and version[: len(parts) - 1] == parts[:-1]
    order = {"<": version < floor, "<=": version <= floor, ">": version > floor, ">=": version >= floor}
    return not same if operator == "!=" else order.get(operator, same)
