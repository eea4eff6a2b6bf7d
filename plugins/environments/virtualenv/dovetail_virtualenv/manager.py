"""Environments made by virtualenv and filled by pip."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, ClassVar

from dovetail.environments import pyenv
from dovetail.environments.cache import discard
from dovetail.environments.program import ProgramFailed, run_program
from dovetail.environments.pythons import python_for
from dovetail.environments.virtual import python_in
from dovetail.environments.virtual_manager import VirtualEnvManager
from dovetail_virtualenv.words import pip_step, pip_variables, virtualenv_variables

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from dovetail.environments.interpreters import Interpreter
    from dovetail.environments.manager import Progress
    from dovetail.environments.spec import EnvSpec
    from dovetail.environments.virtual_manager import Work

__all__ = ["VirtualenvManager"]

# No colours, and no look for something newer: neither of the environment's pip nor of what is put into it.
_PIP = ("--disable-pip-version-check", "--no-input", "--no-color", "--progress-bar", "off")


class VirtualenvManager(VirtualEnvManager):
    """Makes each environment once with virtualenv and pip, and keeps it in the folder ``env_dir``.

    Where pip finds distributions follows pip's own settings.

    Args:
        folder: Where the environments lie; by default as the setting ``env_dir`` says.
    """

    key: ClassVar[str] = "virtualenv"
    advice: ClassVar[str] = (
        "Correct the requirement it names, or say where it is, as with PIP_INDEX_URL or PIP_FIND_LINKS."
    )

    def python(self, spec: EnvSpec, folder: Path, progress: Progress) -> Interpreter:
        """The running interpreter, else one of pyenv's or on the path, else one that pyenv builds."""
        del folder
        return python_for(spec, install=lambda: pyenv.install_python(spec, progress))

    def create(self, python: Interpreter, work: Work) -> None:
        """Make an environment with pip in it: by virtualenv, or if that cannot, by the interpreter's own ``venv``."""
        target = ["--python", str(python.path), "--no-periodic-update", "--no-download", str(work.root)]
        variables = virtualenv_variables(os.environ)
        try:
            _run([sys.executable, "-m", "virtualenv", *target], variables, work)
        except ProgramFailed as failure:
            self._create_plainly(python, variables, work, failure)

    def _create_plainly(
        self, python: Interpreter, variables: Mapping[str, str], work: Work, before: ProgramFailed
    ) -> None:
        discard(work.root)
        try:
            _run([str(python.path), "-m", "venv", str(work.root)], variables, work)
        except ProgramFailed as failure:
            # Of a traceback the last line says what is wrong.
            reason = before.words.splitlines()[-1] if before.words else f"It exited with {before.code}."
            words = f"{reason}\nNor could its own venv:\n{failure.words}"
            raise ProgramFailed("venv", failure.code, words) from failure

    def install(self, files: Sequence[str], work: Work) -> None:
        """Install what requirement files name, by the environment's own pip."""
        # pip looks for nothing in its working folder, but Python does.
        argv = [str(python_in(work.root)), "-I", "-m", "pip", "install", *_PIP, *files]
        _run(argv, pip_variables(os.environ), work)


def _run(argv: Sequence[str], variables: Mapping[str, str], work: Work) -> None:
    folder = work.root.parent
    run_program(argv, folder=folder, env=variables, step=pip_step, progress=work.progress, keep=(work.lock,))
