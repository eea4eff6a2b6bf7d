"""The command ``pyenv``: which Pythons it can build, and having it build one."""

from __future__ import annotations

import os
import re
import shutil
import sys
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from dovetail.environments.cache import cache_folder
from dovetail.environments.interpreters import Interpreter, PythonVersion, pyenv_root
from dovetail.environments.program import ProgramFailed, run_program
from dovetail.environments.pythons import no_such_python
from dovetail.posix import locked, private_folder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from dovetail.environments.manager import Progress
    from dovetail.environments.spec import EnvSpec
    from dovetail.errors import EnvironmentFailed

__all__ = ["install_python"]

_VERSION = re.compile(r"\s*([0-9]{1,4})\.([0-9]{1,4})\.([0-9]{1,4})")
_STEPS = re.compile(r"(Downloading|Installing|Installed|Patching|Building|BUILD FAILED|ERROR:|WARNING:)")
# They choose a Python for pyenv's own commands, or point the one that is built at another's modules.
_MISLEADING = ("PYENV_VERSION", "PYTHONHOME", "PYTHONPATH", "VIRTUAL_ENV")
_TICK_SECONDS = 30


def install_python(spec: EnvSpec, progress: Progress) -> Interpreter:
    """Have pyenv build the newest Python it knows that a spec allows; one it has built already is left as it is.

    Several processes that ask for one version build it once.

    Args:
        spec: Its ``python`` says which.
        progress: Told about the steps of the build.

    Raises:
        EnvironmentFailed: There is no pyenv, it knows no such version, or the build failed.
    """
    program = _program()
    if program is None:
        failure = "pyenv, which would install it, is not here either."
        raise no_such_python(spec, failure=failure, hint="Install pyenv, or let uv do it: --env-manager uv.")
    try:
        version = _newest(_known(program), spec)
        text = ".".join(map(str, version))
        _build(program, text, progress)
    except ProgramFailed as failure:
        raise _failed(spec, failure) from failure
    return Interpreter(version, _built(text, spec))


def _program() -> str | None:
    own = pyenv_root() / "bin" / "pyenv"
    return shutil.which("pyenv") or (str(own) if own.is_file() else None)


def _known(program: str) -> list[tuple[int, int, int]]:
    """The versions that pyenv can build, without those that are no plain releases."""
    found: list[tuple[int, int, int]] = []

    def read(line: str) -> None:
        if match := _VERSION.fullmatch(line):
            found.append((int(match[1]), int(match[2]), int(match[3])))

    _run([program, "install", "--list"], read, _quiet)
    return found


def _newest(known: list[tuple[int, int, int]], spec: EnvSpec) -> tuple[int, int, int]:
    wanted = PythonVersion(spec.python or "")
    fitting = [version for version in known if wanted.allows(version)]
    if not fitting:
        failure = f"pyenv cannot build it: it is none of the {len(known)} releases that pyenv knows."
        raise no_such_python(spec, failure=failure, hint="Update pyenv, if it is a newer release.")
    return max(fitting)


def _build(program: str, version: str, progress: Progress) -> None:
    folder = private_folder(cache_folder() / "pythons")
    place = pyenv_root() / "versions" / version
    with locked(folder / f"{version}.lock") as lock, _told_of_time(progress, f"building Python {version}"):
        was_there = place.exists()
        progress(f"having pyenv install Python {version}")
        try:
            _run([program, "install", "--skip-existing", version], _step, progress, keep=(lock,))
        except BaseException:
            if not was_there:  # otherwise pyenv would take what an interrupted build left for a whole Python
                shutil.rmtree(place, ignore_errors=True)
            raise


def _run(argv: list[str], step: Callable[[str], str | None], progress: Progress, keep: tuple[int, ...] = ()) -> None:
    env = {name: value for name, value in os.environ.items() if name not in _MISLEADING}
    # pyenv looks for a file that chooses a Python in its working folder and above.
    run_program(argv, folder=pyenv_root(), env=env, step=step, progress=progress, keep=keep)


def _step(line: str) -> str | None:
    return f"pyenv: {line}" if _STEPS.match(line) else None


def _built(version: str, spec: EnvSpec) -> Path:
    program = pyenv_root() / "versions" / version / ("python.exe" if sys.platform == "win32" else "bin/python")
    if not program.exists():
        failure = f"pyenv says that it is installed, but there is no {program}."
        raise no_such_python(spec, failure=failure, hint=f"Have pyenv build it anew: pyenv install --force {version}.")
    return program


def _failed(spec: EnvSpec, failure: ProgramFailed) -> EnvironmentFailed:
    return no_such_python(
        spec,
        failure=f"pyenv could not install it:\n{failure.words}",
        hint="See what it says; most builds fail for want of a compiler or of libraries' headers.",
    )


@contextmanager
def _told_of_time(progress: Progress, what: str) -> Iterator[None]:
    """Say now and then that work goes on: a build takes minutes and says nothing meanwhile."""
    over, begun = threading.Event(), time.monotonic()

    def tell() -> None:
        while not over.wait(_TICK_SECONDS):
            progress(f"still {what} ({(time.monotonic() - begun) / 60:.1f} min)")

    threading.Thread(target=tell, name="dovetail-build-time", daemon=True).start()
    try:
        yield
    finally:
        over.set()


def _quiet(message: str) -> None:
    del message
