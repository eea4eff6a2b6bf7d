"""The Python interpreters of this machine, and which of them a spec asks for."""

from __future__ import annotations

import os
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from dovetail.environments.spec import PYTHON_CLAUSE

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = [
    "Interpreter",
    "PythonVersion",
    "found_interpreter",
    "installed_interpreters",
    "interpreter_at",
    "matching_interpreter",
    "pyenv_root",
    "running_interpreter",
]

_ON_PATH = re.compile(r"python3(?:\.([0-9]{1,3}))?(?:\.exe)?")
_TELL = "import sys; print('.'.join(map(str, sys.version_info[:3])))"
# Longer than any interpreter takes to say its version, and short enough to wait for one that hangs.
_ANSWER_SECONDS = 20


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
        match = re.search(r"([0-9]{1,4})(?:\.([0-9]{1,4}))?", self.text)
        return tuple(int(part) for part in match.groups() if part) if match else ()


def running_interpreter() -> Interpreter:
    """The one that runs this process."""
    return Interpreter(sys.version_info[:3], Path(sys.executable))


def pyenv_root() -> Path:
    """Where pyenv keeps what it installs."""
    return Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")


def installed_interpreters() -> tuple[Interpreter, ...]:
    """The running one, then those that pyenv has installed, newest first; none of them is started."""
    root = pyenv_root() / "versions"
    folders = sorted(root.iterdir()) if root.is_dir() else []
    found = [_pyenv(folder) for folder in folders if re.fullmatch(r"(?:[0-9]{1,4}\.){2}[0-9]{1,4}", folder.name)]
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


def found_interpreter(python: str | None) -> Interpreter | None:
    """As ``matching_interpreter``, and if none matches, the first program on the path that does.

    Only programs whose names may mean the version are started, to ask them for it.

    Args:
        python: ``EnvSpec.python``.
    """
    if (here := matching_interpreter(python)) or python is None:
        return here
    wanted = PythonVersion(python)
    asked = (interpreter_at(program) for program in _on_path(wanted))
    return next((each for each in asked if each and wanted.allows(each.version)), None)


def interpreter_at(path: Path) -> Interpreter | None:
    """The interpreter that this program is; None if it does not start or is none."""
    import subprocess

    try:
        done = subprocess.run(  # noqa: S603 - a program found on the path, asked for its version
            [str(path), "-I", "-c", _TELL],
            capture_output=True,
            check=False,
            encoding="utf-8",
            errors="replace",
            stdin=subprocess.DEVNULL,
            timeout=_ANSWER_SECONDS,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    match = re.fullmatch(r"([0-9]{1,4})\.([0-9]{1,4})\.([0-9]{1,4})", done.stdout.strip())
    return Interpreter((int(match[1]), int(match[2]), int(match[3])), path) if match else None


def _on_path(wanted: PythonVersion) -> Iterator[Path]:
    """The programs on the path that may be the version; a name without a minor version may be any."""
    for folder in dict.fromkeys(os.environ.get("PATH", "").split(os.pathsep)):
        place = Path(folder)
        # pyenv's shims stand for its own versions, which were looked at.
        if not place.is_absolute() or place == pyenv_root() / "shims" or not os.path.isdir(place):  # noqa: PTH112
            continue
        for name in sorted(_names(place)):
            match = _ON_PATH.fullmatch(name)
            if match and (match[1] is None or _may_be(wanted, int(match[1]))):
                yield place / name


def _names(folder: Path) -> list[str]:
    try:
        return os.listdir(folder)  # noqa: PTH208 - names are all that is looked at
    except OSError:  # a folder on the path that this user may not read holds nothing for them
        return []


def _may_be(wanted: PythonVersion, minor: int) -> bool:
    return any(wanted.allows((3, minor, patch)) for patch in range(100))


def _pyenv(folder: Path) -> Interpreter:
    major, minor, patch = (int(part) for part in folder.name.split("."))
    program = "python.exe" if sys.platform == "win32" else "bin/python"
    return Interpreter((major, minor, patch), folder / program)


def _allows(clause: str, version: tuple[int, int, int]) -> bool:
    match = PYTHON_CLAUSE.fullmatch(clause)
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
