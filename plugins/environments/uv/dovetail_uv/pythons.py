"""The Pythons that uv knows, and having it install one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from dovetail.environments.interpreters import PythonVersion, interpreter_at
from dovetail.environments.program import ProgramFailed
from dovetail.environments.pythons import no_such_python
from dovetail_uv.program import ask_uv

if TYPE_CHECKING:
    from dovetail.environments.interpreters import Interpreter
    from dovetail.environments.manager import Progress
    from dovetail.environments.spec import EnvSpec

__all__ = ["find_python", "install_python"]

# Looking for one never fetches one.
_FIND = ("python", "find", "--no-project", "--system", "--no-python-downloads")


def find_python(spec: EnvSpec, folder: Path, progress: Progress) -> Interpreter | None:
    """One that uv finds on this machine; it installs none for this.

    Args:
        spec: What says which Python it wants.
        folder: A folder to run uv in.
        progress: Told that uv is asked.
    """
    request = _request(spec)
    progress(f"looking for Python {request}")
    try:
        words = ask_uv([*_FIND, request], folder, progress)
    except ProgramFailed:  # there is none, which is an answer
        return None
    # Programs that uv tries on its way may have said something too.
    found = (interpreter_at(Path(line)) for line in words.splitlines()[::-1] if Path(line).is_file())
    wanted = PythonVersion(request)
    return next((each for each in found if each and wanted.allows(each.version)), None)


def install_python(spec: EnvSpec, folder: Path, progress: Progress) -> Interpreter:
    """Have uv install the newest Python that a spec allows.

    Args:
        spec: What says which Python it wants.
        folder: A folder to run uv in.
        progress: Told about its steps.

    Raises:
        EnvironmentFailed: uv has none, cannot fetch it, or is not allowed to by its own settings.
    """
    request = _request(spec)
    progress(f"having uv install Python {request}")
    try:
        ask_uv(["python", "install", request], folder, progress)
    except ProgramFailed as failure:
        raise no_such_python(
            spec, failure=f"uv could not install it:\n{failure.words}", hint="See what uv says."
        ) from failure
    if found := find_python(spec, folder, progress):
        return found
    raise no_such_python(spec, failure="uv says that it is installed, but does not find it.")


def _request(spec: EnvSpec) -> str:
    """The version in uv's words: a lone = or == before a version means what the version alone does."""
    python = spec.python or ""
    return python if "," in python else python.lstrip("= ")
