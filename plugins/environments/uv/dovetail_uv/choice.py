"""Which Python an environment is made with."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from dovetail.environments.interpreters import PythonVersion, installed_interpreters, matching_interpreter
from dovetail.environments.virtual import python_in
from dovetail.errors import EnvironmentFailed
from dovetail_uv.program import Uv, UvFailed

if TYPE_CHECKING:
    from dovetail.environments.manager import Progress
    from dovetail.environments.spec import EnvSpec

__all__ = ["PythonChoice", "choose_python"]


@dataclass(frozen=True)
class PythonChoice:
    """The interpreter to use.

    Args:
        path: The program.
        label: What people call it.
    """

    path: Path
    label: str


def choose_python(spec: EnvSpec, folder: Path, progress: Progress) -> PythonChoice:
    """The interpreter for a spec: the running one, else one of pyenv's, one that uv knows, one that uv fetches.

    Args:
        spec: What says which Python it wants.
        folder: A folder to run uv in.
        progress: Told when uv is asked.

    Raises:
        EnvironmentFailed: None of them is what the spec asks for.
    """
    if found := matching_interpreter(spec.python):
        return PythonChoice(found.path, f"Python {found}")
    # A lone = or == before a version means what the version alone does; uv knows the version alone.
    python = spec.python or ""
    request = python if "," in python else python.lstrip("= ")
    progress(f"looking for Python {request}")
    path = _found(request, Uv(folder, progress)) or _fetched(request, spec, folder, Uv(folder, progress))
    return PythonChoice(path, f"Python {request}")


def _found(request: str, uv: Uv) -> Path | None:
    try:
        words = uv.run("python", "find", "--no-project", "--system", request)
    except UvFailed:
        return None
    # Programs that uv tries on its way may have said something too.
    return next((Path(line) for line in words.splitlines()[::-1] if Path(line).is_file()), None)


def _fetched(request: str, spec: EnvSpec, folder: Path, uv: Uv) -> Path:
    """Have uv fetch it, which happens when an environment asks for it, if uv's settings allow it at all."""
    with tempfile.TemporaryDirectory(dir=folder, prefix="python-") as scratch:
        root = Path(scratch) / "env"
        try:
            uv.run("venv", "--no-project", "--python", request, str(root))
        except UvFailed as failure:
            raise _no_such_python(request, spec, failure) from failure
        return python_in(root).resolve()


def _no_such_python(request: str, spec: EnvSpec, failure: UvFailed) -> EnvironmentFailed:
    here = installed_interpreters()
    series = PythonVersion(request).series
    near = sorted({str(each) for each in here if each.version[: len(series)] == series})
    text = ".".join(map(str, series))
    accept = f'Write python: "{text}" to accept {" or ".join(near)}, or install' if near else "Install"
    return EnvironmentFailed(
        f"{spec.source or 'The environment'} asks for Python {spec.python}, which is not on this machine; here are "
        f"{', '.join(dict.fromkeys(map(str, here)))}. uv did not fetch it:\n{failure.words}",
        hint=f"{accept} the version it asks for: uv python install {request}",
    )
