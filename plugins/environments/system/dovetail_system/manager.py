"""The environment that is already there: the one dovetail itself runs in."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from dovetail.environments.interpreters import PythonVersion, running_interpreter
from dovetail.environments.manager import Environment, EnvManager

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dovetail.environments.manager import Progress
    from dovetail.environments.spec import EnvSpec

__all__ = ["SystemEnvironment", "SystemManager"]


class SystemEnvironment(Environment):
    """The running interpreter and what is installed beside it."""

    def __init__(self) -> None:
        self.name = "system"
        self.python = sys.executable
        self.python_version = str(running_interpreter())

    def wrap(self, argv: Sequence[str], env: Mapping[str, str]) -> tuple[list[str], dict[str, str]]:
        """The command with ``python`` made the running interpreter, and the variables with its programs found first.

        Args:
            argv: Program and arguments.
            env: The variables the command is to see.
        """
        variables = dict(env)
        # dovetail may have been started by its path; then the folder of its interpreter is not on PATH yet.
        variables["PATH"] = os.pathsep.join((str(Path(self.python).parent), env.get("PATH", os.defpath)))
        if sys.prefix != sys.base_prefix:
            variables["VIRTUAL_ENV"] = sys.prefix
        return [self.python if argv[0] == "python" else argv[0], *argv[1:]], variables


class SystemManager(EnvManager):
    """Creates and installs nothing: whatever a spec asks for, the answer is the running environment."""

    chooses_python = False

    def prepare(self, spec: EnvSpec, progress: Progress) -> SystemEnvironment:
        """Answer with the running environment; say so where the spec asks for more."""
        here = running_interpreter()
        if spec.python is not None and not PythonVersion(spec.python).allows(here.version):
            progress(f"using the running Python {here}, although Python {spec.python} is asked for")
        if count := len(spec.dependencies) + len(spec.build_dependencies):
            noun = "requirement" if count == 1 else "requirements"
            progress(f"using what is installed here; {count} {noun} not looked at")
        return SystemEnvironment()
