"""What an environment must contain: Python and requirements, as a value with a stable key."""

from __future__ import annotations

import hashlib
import json
import os
import re
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from dovetail.documents import read_yaml, shown
from dovetail.errors import InvalidProject

__all__ = ["PYTHON_CLAUSE", "EnvSpec", "LocalWheel", "read_python_env", "read_requirements", "requirement_name"]

# One comparison of what a spec says about Python. Versions have few digits: more are no version, and slow to read.
PYTHON_CLAUSE = re.compile(r"(==|=|!=|<=|>=|<|>|~=)?\s*([0-9]{1,4}(?:\.[0-9]{1,4}){0,2})")

_NAME = re.compile(r"\s*([A-Za-z0-9][A-Za-z0-9._-]*)")
_INCLUDE = re.compile(r"(?:(-r|-c)\s*|(--requirement|--constraint)(?:\s+|=\s*))(.+)")
_RELATIVE = re.compile(r"((?:(?:-e|-f)\s*|(?:--editable|--find-links)(?:\s+|=\s*))?)(\.{1,2}(?:[/\\\[].*)?)")
_CODE = frozenset({".py", ".pyi", ".pyx", ".pxd", ".toml", ".cfg", ".in", ".c", ".cc", ".cpp", ".h", ".hpp", ".rs"})
_MAX_DEPTH = 10
_MAX_PYTHON = 100


@dataclass(frozen=True)
class LocalWheel:
    """A distribution of the running installation, packed so that other environments get exactly it.

    Args:
        name: Normalised distribution name.
        path: The wheel file.
        digest: SHA-256 of its content; part of an environment's key, the path is not.
    """

    name: str
    path: Path
    digest: str


@dataclass(frozen=True)
class EnvSpec:
    """The content of a Python environment.

    Args:
        python: A version or specifier such as ``3.11``, ``3.11.7`` or ``>=3.10``; None means the running one.
        dependencies: Requirement lines as pip takes them; nested files are already read in.
        build_dependencies: What must be installed first to build the others.
        constraints: Constraint lines.
        wheels: Local wheels that win over any index.
        source: The file it was read from, for messages.
        instead_of: The Python it asked for before somebody chose ``python``, ``""`` if it asked for none; None if
            nobody chose. For messages, and for what is recorded.
        install_python: Whether a Python that is not on this machine may be installed. It is no part of the content.
    """

    python: str | None = None
    dependencies: tuple[str, ...] = ()
    build_dependencies: tuple[str, ...] = ()
    constraints: tuple[str, ...] = ()
    wheels: tuple[LocalWheel, ...] = ()
    source: str = ""
    instead_of: str | None = field(default=None, compare=False)
    install_python: bool = field(default=False, compare=False)

    @property
    def key(self) -> str:
        """A digest of the content: equal specs share one cached environment.

        Where a line names a wheel or a folder of code on this machine, what lies there counts and not its place.
        """
        content = {
            "python": self.python,
            "dependencies": [_identity(line) for line in self.dependencies],
            "build_dependencies": [_identity(line) for line in self.build_dependencies],
            "constraints": self.constraints,
            "wheels": sorted((wheel.name, wheel.digest) for wheel in self.wheels),
        }
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:20]

    def with_wheels(self, wheels: tuple[LocalWheel, ...]) -> EnvSpec:
        """The same spec with these local wheels."""
        return replace(self, wheels=wheels)

    def with_dependencies(self, *more: str) -> EnvSpec:
        """The same spec with further requirement lines."""
        return replace(self, dependencies=(*self.dependencies, *more))


def requirement_name(line: str) -> str:
    """The normalised distribution name a requirement line starts with, ``""`` if it is an option or a path."""
    match = _NAME.match(line)
    if not match or line.lstrip().startswith(("-", ".", "/")) or "://" in line.split("@", 1)[0]:
        return ""
    return re.sub(r"[-_.]+", "-", match.group(1)).lower()


def read_python_env(path: Path) -> EnvSpec:
    """Read a ``python_env.yaml``.

    Args:
        path: The file; ``-r`` lines and paths such as ``./package`` in it are relative to its folder.

    Raises:
        InvalidProject: It is missing, no YAML, or has keys or values of the wrong kind.
    """
    content = read_yaml(path, error=InvalidProject)
    _check_keys(path, content)
    build = [_absolute(line, path.parent) for line in _lines(path, content, "build_dependencies")]
    found = [_read_line(line, path.parent, path, 0) for line in _lines(path, content, "dependencies")]
    dependencies = tuple(line for lines, _ in found for line in lines)
    constraints = tuple(line for _, lines in found for line in lines)
    return EnvSpec(_python(path, content), dependencies, tuple(build), constraints, source=str(path))


def read_requirements(path: Path) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Read a requirements file with everything it includes.

    Args:
        path: The file. Files it includes are relative to the file that names them; paths of packages, such as
            ``./package``, are relative to this one's folder.

    Returns:
        Its requirement lines and its constraint lines.

    Raises:
        InvalidProject: A file is missing or includes itself.
    """
    dependencies, constraints = _read_file(path, path, 0)
    return tuple(dependencies), tuple(constraints)


def _check_keys(path: Path, content: dict[str, Any]) -> None:
    known = ("python", "build_dependencies", "dependencies")
    if unknown := sorted(str(key) for key in content if key not in known):
        hint = f"A python_env file has {', '.join(known)}."
        raise InvalidProject(f"{path}: unknown key {shown(unknown[0])}.", hint=hint)


def _python(path: Path, content: dict[str, Any]) -> str | None:
    version = content.get("python")
    if version is None:
        return None
    # YAML reads an unquoted 3.10 as the number 3.1: only text says which was meant.
    if not isinstance(version, str) or not _is_python(version):
        hint = 'Write the version as text, such as python: "3.11".'
        raise InvalidProject(f"{path}: python is {shown(version)}, which is no version of Python.", hint=hint)
    return version.strip()


def _is_python(text: str) -> bool:
    return len(text) <= _MAX_PYTHON and all(PYTHON_CLAUSE.fullmatch(clause.strip()) for clause in text.split(","))


def _lines(path: Path, content: dict[str, Any], key: str) -> list[str]:
    lines = content.get(key) or []
    if not isinstance(lines, list) or not all(isinstance(line, str) for line in lines):
        hint = f'For example {key}: ["numpy>=1.26"].'
        raise InvalidProject(f"{path}: {key} must be a list of requirement texts.", hint=hint)
    return [line.strip() for line in lines if line.strip()]


def _read_file(path: Path, source: Path, depth: int) -> tuple[list[str], list[str]]:
    if depth > _MAX_DEPTH:
        raise InvalidProject(
            f"{source}: requirement files include each other in a circle ({path}).", hint="Take one -r line out."
        )
    dependencies: list[str] = []
    constraints: list[str] = []
    for raw in _text(path, source).replace("\\\n", " ").splitlines():
        line = re.split(r"(?:^|\s)#", raw)[0].strip()
        if line:
            found, bounds = _read_line(line, path.parent, source, depth)
            dependencies += found
            constraints += bounds
    return dependencies, constraints


def _text(path: Path, source: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise InvalidProject(
            f"{source}: the requirements file {path} cannot be read: {reason}.",
            hint=f"Paths in it are relative to the folder of the file that names them, here {path.parent}.",
        ) from error


def _read_line(line: str, folder: Path, source: Path, depth: int) -> tuple[list[str], list[str]]:
    match = _INCLUDE.fullmatch(line)
    if match is None:
        return [_absolute(line, source.parent)], []
    dependencies, constraints = _read_file(folder / match.group(3).strip(), source, depth + 1)
    if (match.group(1) or match.group(2)) in ("-c", "--constraint"):
        return [], dependencies + constraints
    return dependencies, constraints


def _absolute(line: str, folder: Path) -> str:
    """The line with a path that starts with a dot made absolute: installers run in other folders."""
    match = _RELATIVE.fullmatch(line)
    return match.group(1) + os.path.normpath(folder.absolute() / match.group(2)) if match else line


def _identity(line: str) -> str:
    """What a line stands for: itself, or what lies at the path that it is."""
    place, bracket, rest = line.partition("[")
    path = Path(place.split(" ;")[0].strip())
    files = _code(path) if path.is_absolute() else []
    if not files:
        return line
    digest = hashlib.sha256()
    for file in files:
        content = file.read_bytes()
        digest.update(f"{file.relative_to(path).as_posix()}\0{len(content)}\0".encode() + content)
    return f"{digest.hexdigest()}{bracket}{rest}"


def _code(path: Path) -> list[Path]:
    """The files that an installation of this path is made of; none if it is nothing that can be installed.

    Data does not count, so that a project that writes results beside its code keeps its environment.
    """
    # os.path answers False for what cannot be a path at all, where Path raises.
    if os.path.isfile(path):  # noqa: PTH113
        return [path]
    if not any(os.path.isfile(path / name) for name in ("pyproject.toml", "setup.py")):  # noqa: PTH113
        return []
    found: list[Path] = []
    for place, folders, files in os.walk(path):
        folders[:] = [each for each in folders if not each.startswith(".")]
        found += [Path(place, each) for each in files if Path(each).suffix in _CODE]
    return sorted(found)
