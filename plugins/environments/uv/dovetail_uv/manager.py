"""Environments made by uv."""

from __future__ import annotations

import hashlib
import os
import platform
import sys
from typing import TYPE_CHECKING

from dovetail.environments.cache import env_folder, make_once
from dovetail.environments.manager import EnvManager
from dovetail.environments.virtual import VirtualEnvironment, python_in
from dovetail.environments.wheelhouse import pinned
from dovetail.errors import EnvironmentFailed
from dovetail_uv.choice import PythonChoice, choose_python
from dovetail_uv.program import Uv, UvFailed, uv_options

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from dovetail.environments.manager import Progress
    from dovetail.environments.spec import EnvSpec

__all__ = ["UvManager"]


class UvManager(EnvManager):
    """Makes each environment once with uv and keeps it in the folder ``env_dir``.

    Where uv finds distributions and whether it may fetch Pythons follows uv's own settings; pip's settings count
    where uv's are not set.

    Args:
        folder: Where the environments lie; by default as the setting ``env_dir`` says.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder

    def prepare(self, spec: EnvSpec, progress: Progress) -> VirtualEnvironment:
        """Create the environment or find it in the cache."""
        folder = env_folder(self._folder)
        python = choose_python(spec, folder, progress)
        root = folder / _name(spec, python)

        def make(lock: int) -> None:
            _make(root, spec, python, Uv(folder, progress, lock), progress)

        make_once(root, make, progress, whole=python_in(root).exists)
        return VirtualEnvironment(root)


def _make(root: Path, spec: EnvSpec, python: PythonChoice, uv: Uv, progress: Progress) -> None:
    progress(f"creating {root.name} with {python.label}")
    _create(root, python, uv)
    installed = pinned(spec)
    _install(root, installed.build_dependencies, installed, "build requirement", uv, progress)
    _install(root, installed.dependencies, installed, "requirement", uv, progress)


def _create(root: Path, python: PythonChoice, uv: Uv) -> None:
    try:
        uv.run("venv", "--no-project", "--python", str(python.path), str(root))
    except UvFailed as failure:
        raise EnvironmentFailed(
            f"uv could not create an environment with {python.label} ({python.path}):\n{failure.words}",
            hint="Check that this interpreter starts, or ask for another version of Python.",
        ) from failure


def _install(root: Path, lines: Sequence[str], spec: EnvSpec, noun: str, uv: Uv, progress: Progress) -> None:
    if not lines:
        return
    progress(f"installing {len(lines)} {noun}{'s' if len(lines) > 1 else ''}")
    files = ["-r", _write(root / f"dovetail-{noun.replace(' ', '-')}s.txt", lines)]
    if spec.constraints:
        files += ["-c", _write(root / "dovetail-constraints.txt", spec.constraints)]
    try:
        uv.run("pip", "install", "--python", str(python_in(root)), *files, *uv_options(os.environ))
    except UvFailed as failure:
        source = f" of {spec.source}" if spec.source else ""
        raise EnvironmentFailed(
            f"uv could not install the {noun}s{source}:\n{failure.words}",
            hint="Correct the requirement it names, or say where it is, as with UV_INDEX or UV_FIND_LINKS.",
        ) from failure


def _write(path: Path, lines: Sequence[str]) -> str:
    """Keep the lines in the environment: people look there for what it was made of."""
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return str(path)


def _name(spec: EnvSpec, python: PythonChoice) -> str:
    """What decides on the content of the environment: the spec, the machine's kind and the interpreter."""
    kind = f"{sys.platform}\0{platform.machine()}\0{python.label}\0{python.path.resolve()}"
    return f"{spec.key}-{hashlib.sha256(kind.encode()).hexdigest()[:8]}"
