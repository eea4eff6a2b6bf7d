"""A model's requirements: which lines, and the files that say them."""

from __future__ import annotations

import os
import platform
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dovetail.documents import dump_yaml, read_yaml
from dovetail.environments import capture
from dovetail.environments.spec import read_requirements, requirement_name
from dovetail.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import TypeAlias

    #: Requirement lines, or the path of a requirements file.
    Lines: TypeAlias = Sequence[str] | str | os.PathLike[str]
    #: The content of a conda environment file, or its path.
    CondaEnv: TypeAlias = Mapping[str, Any] | str | os.PathLike[str]

__all__ = ["Requirements", "chosen"]

_BUILD = ("pip", "setuptools", "wheel")
_INCLUDE = re.compile(r"(-r|-c|--requirement|--constraint)[ =]*(.+)")
_PYTHON = re.compile(r"python\s*=+\s*([0-9.]+)")


@dataclass(frozen=True)
class Requirements:
    """What a model's environment must contain.

    Args:
        lines: Requirement lines.
        constraints: Constraint lines.
        python: The version of Python.
        conda: What its conda environment file says; None for what follows from the rest.
    """

    lines: Sequence[str]
    constraints: Sequence[str] = ()
    python: str = platform.python_version()
    conda: Mapping[str, Any] | None = None

    def write(self, folder: Path) -> None:
        """Write ``requirements.txt``, ``constraints.txt`` if there are any, ``python_env.yaml`` and ``conda.yaml``."""
        build = [capture.pinned(name) or name for name in _BUILD]
        held = ["-c constraints.txt"] if self.constraints else []
        if self.constraints:
            (folder / "constraints.txt").write_text(_text(self.constraints), encoding="utf-8")
        (folder / "requirements.txt").write_text(_text([*held, *self.lines]), encoding="utf-8")
        python_env = {"python": self.python, "build_dependencies": build, "dependencies": ["-r requirements.txt"]}
        (folder / "python_env.yaml").write_text(dump_yaml(python_env), encoding="utf-8")
        conda = dict(self.conda) if self.conda else self._conda(build[0], [*held, *self.lines])
        (folder / "conda.yaml").write_text(dump_yaml(conda), encoding="utf-8")

    def _conda(self, pip: str, lines: Sequence[str]) -> dict[str, Any]:
        # conda offers another pip than the index does, so that only an upper bound can be met.
        first = [f"python={self.python}", pip.replace("==", "<=")]
        return {"name": "mlflow-env", "channels": ["conda-forge"], "dependencies": [*first, {"pip": list(lines)}]}


def chosen(
    inferred: Callable[[], Sequence[str]],
    pip_requirements: Lines | None = None,
    extra_pip_requirements: Lines | None = None,
    conda_env: CondaEnv | None = None,
) -> Requirements:
    """The requirements of a model.

    Args:
        inferred: Gives the lines that follow from the model; asked only if nobody says them.
        pip_requirements: What the author says instead of the inferred lines.
        extra_pip_requirements: What the author adds; a line for a distribution replaces the inferred one.
        conda_env: The whole environment, as conda describes it, instead of both.

    Raises:
        InvalidInput: ``conda_env`` is given together with another one, or describes no environment.
        InvalidProject: A requirements file cannot be read.
    """
    if conda_env is not None:
        if pip_requirements is not None or extra_pip_requirements is not None:
            raise InvalidInput(
                "conda_env says the whole environment; pip_requirements and extra_pip_requirements cannot add to it.",
                hint="Write the lines under `pip:` in conda_env.",
            )
        return _from_conda(conda_env)
    lines, constraints = _read("pip_requirements", pip_requirements)
    extra, more = _read("extra_pip_requirements", extra_pip_requirements)
    replaced = {requirement_name(line) for line in extra} - {""}
    kept = lines if pip_requirements is not None else inferred()
    return Requirements(
        [*(line for line in kept if requirement_name(line) not in replaced), *extra], constraints + more
    )


def _text(lines: Sequence[str]) -> str:
    return "".join(f"{line}\n" for line in lines)


def _read(what: str, given: Lines | None) -> tuple[list[str], list[str]]:
    """Requirement lines and constraint lines."""
    if given is None:
        return [], []
    if isinstance(given, (str, os.PathLike)):
        found, bounds = read_requirements(Path(given))
        return list(found), list(bounds)
    lines, constraints = list[str](), list[str]()
    for line in given:
        if not isinstance(line, str):
            raise InvalidInput(
                f"{what} holds {line!r}; expected requirement lines, or the path of a requirements file."
            )
        match = _INCLUDE.fullmatch(line.strip())
        found, bounds = read_requirements(Path(match[2].strip())) if match else ((line.strip(),), ())
        held = match is not None and match[1] in ("-c", "--constraint")
        (constraints if held else lines).extend(each for each in found if each)
        constraints.extend(bounds)
    return lines, constraints


def _from_conda(given: CondaEnv) -> Requirements:
    conda = read_yaml(Path(given), error=InvalidInput) if isinstance(given, (str, os.PathLike)) else dict(given)
    dependencies = conda.get("dependencies")
    if not isinstance(dependencies, list):
        raise InvalidInput(
            "conda_env has no list of dependencies.", hint="For example {'dependencies': ['python=3.11']}."
        )
    versions = [match[1] for each in dependencies if isinstance(each, str) and (match := _PYTHON.match(each))]
    named = [each["pip"] for each in dependencies if isinstance(each, dict) and each.get("pip")]
    lines, constraints = _read("conda_env", named[0] if named else [])
    return Requirements(lines, constraints, (versions or [platform.python_version()])[0], conda)
