"""Environments made by uv."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, ClassVar

from dovetail.environments.pythons import python_for
from dovetail.environments.virtual import python_in
from dovetail.environments.virtual_manager import VirtualEnvManager
from dovetail_uv.program import run_uv, uv_options
from dovetail_uv.pythons import find_python, install_python

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from dovetail.environments.interpreters import Interpreter
    from dovetail.environments.manager import Progress
    from dovetail.environments.spec import EnvSpec
    from dovetail.environments.virtual_manager import Work

__all__ = ["UvManager"]


class UvManager(VirtualEnvManager):
    """Makes each environment once with uv and keeps it in the folder ``env_dir``.

    Where uv finds distributions follows uv's own settings; pip's settings count where uv's are not set.

    Args:
        folder: Where the environments lie; by default as the setting ``env_dir`` says.
    """

    key: ClassVar[str] = "uv"
    advice: ClassVar[str] = "Correct the requirement it names, or say where it is, as with UV_INDEX or UV_FIND_LINKS."

    def python(self, spec: EnvSpec, folder: Path, progress: Progress) -> Interpreter:
        """The running interpreter, else one of pyenv's or on the path, one that uv knows, one that uv installs."""
        return python_for(
            spec,
            install=lambda: install_python(spec, folder, progress),
            find=lambda: find_python(spec, folder, progress),
        )

    def create(self, python: Interpreter, work: Work) -> None:
        """Make an environment with nothing in it."""
        run_uv(["venv", "--no-project", "--python", str(python.path), str(work.root)], work)

    def install(self, files: Sequence[str], work: Work) -> None:
        """Install what requirement files name."""
        run_uv(["pip", "install", "--python", str(python_in(work.root)), *files, *uv_options(os.environ)], work)
