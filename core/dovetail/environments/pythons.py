"""Which Python an environment gets: what its spec asks for, what somebody chose instead, what can be had."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from dovetail import settings
from dovetail.documents import shown
from dovetail.environments.interpreters import PythonVersion, found_interpreter, installed_interpreters
from dovetail.errors import EnvironmentFailed, InvalidInput

if TYPE_CHECKING:
    from collections.abc import Callable

    from dovetail.environments.interpreters import Interpreter
    from dovetail.environments.manager import EnvManager, Progress
    from dovetail.environments.spec import EnvSpec

__all__ = ["no_such_python", "python_for", "with_python"]

_VERSION = re.compile(r"[0-9]{1,4}(?:\.[0-9]{1,4}){0,2}")


def with_python(
    spec: EnvSpec, python: str | None, install: bool | None, manager: EnvManager, progress: Progress
) -> EnvSpec:
    """The spec with the Python that somebody chose, and whether one may be installed.

    Args:
        spec: What a project or model asks for.
        python: The version to take instead, such as ``3.11.7`` or ``3.11``; None leaves what the spec says.
        install: Whether a Python that is not on this machine may be installed; by default the setting
            ``install_python``.
        manager: What is going to prepare the environment.
        progress: Told about a choice that differs from what the spec asks for.

    Raises:
        InvalidInput: It is no version, or the manager takes a Python that is there anyway.
    """
    if not manager.chooses_python and (python or install):
        option = "--python" if python else "--install-python"
        raise InvalidInput(
            f"{option} needs an environment that is made for the purpose; this one has the Python it has.",
            hint="Leave it out, or choose --env-manager uv or virtualenv.",
        )
    allowed = replace(spec, install_python=bool(settings.get("install_python", install)))
    if python is None:
        return allowed
    _check(python)
    if spec.python and spec.python != python:
        progress(f"taking Python {python}, where {spec.source or 'the environment'} asks for {spec.python}")
    return replace(allowed, python=python, instead_of=spec.python or "")


def python_for(
    spec: EnvSpec, install: Callable[[], Interpreter], find: Callable[[], Interpreter | None] | None = None
) -> Interpreter:
    """The interpreter for a spec: one that is here, else one that is installed, if that is allowed.

    Args:
        spec: What says which Python it wants.
        install: Installs one that the spec allows; called only if the spec says that this may be done.
        find: Looks elsewhere for one that the spec allows.

    Raises:
        EnvironmentFailed: There is none, or it cannot be installed.
    """
    if found := found_interpreter(spec.python) or (find() if find else None):
        return found
    if not spec.install_python:
        raise no_such_python(spec)
    return install()


def no_such_python(spec: EnvSpec, *, failure: str = "", hint: str = "") -> EnvironmentFailed:
    """The error for a Python that is not here: what asks for it, what is here, and the ways out.

    Args:
        spec: What asks for it.
        failure: What became of an attempt to install it.
        hint: What to do about that.
    """
    here = installed_interpreters()
    series = PythonVersion(spec.python or "").series
    near = next((each for each in here if each.version[: len(series)] == series), here[0])
    asks = "--python" if spec.instead_of is not None else spec.source or "The environment"
    versions = sorted({each.version: str(each) for each in here}.items())
    first = hint or "Have it installed: --install-python (install_python=True)."
    return EnvironmentFailed(
        f"{asks} asks for Python {spec.python}, which is not on this machine; here are "
        f"{', '.join(text for _, text in versions)}.{failure and f' {failure}'}",
        hint=f"{first} Or take another: --python {near} (python={str(near)!r}).",
    )


def _check(python: str) -> None:
    if not isinstance(python, str) or not _VERSION.fullmatch(python):
        raise InvalidInput(
            f"{shown(python)} is no version of Python.",
            hint="Give --python one such as 3.11.7, or a series such as 3.11.",
        )
