"""What managers of virtual environments on this machine have in common; each brings its own installer."""

from __future__ import annotations

import errno
import hashlib
import os
import platform
import sys
from abc import abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from dovetail.environments.cache import env_folder, make_once
from dovetail.environments.manager import EnvManager
from dovetail.environments.program import ProgramFailed
from dovetail.environments.record import Record
from dovetail.environments.spec import requirement_name
from dovetail.environments.virtual import VirtualEnvironment, python_in
from dovetail.environments.wheelhouse import pinned
from dovetail.errors import EnvironmentFailed
from dovetail.values.measure import now_ms

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from dovetail.environments.interpreters import Interpreter
    from dovetail.environments.manager import Progress
    from dovetail.environments.spec import EnvSpec

__all__ = ["VirtualEnvManager", "Work"]


@dataclass(frozen=True)
class Work:
    """What an installer needs to know about the making of an environment.

    Args:
        root: The environment's folder.
        progress: Told about steps.
        lock: Descriptor that the installer must inherit: the lock that is held for as long as it runs.
    """

    root: Path
    progress: Progress
    lock: int


class VirtualEnvManager(EnvManager):
    """Makes each environment once and keeps it in the folder ``env_dir``.

    Args:
        folder: Where the environments lie; by default as the setting ``env_dir`` says.

    Attributes:
        key: The manager's name.
        advice: What to do where requirements could not be installed.
    """

    key: ClassVar[str]
    advice: ClassVar[str]

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder

    @abstractmethod
    def python(self, spec: EnvSpec, folder: Path, progress: Progress) -> Interpreter:
        """The interpreter to make the environment with.

        Args:
            spec: What says which Python it wants.
            folder: A folder to run programs in.
            progress: Told about steps that take time.

        Raises:
            EnvironmentFailed: There is none.
        """

    @abstractmethod
    def create(self, python: Interpreter, work: Work) -> None:
        """Make an environment with nothing in it. Raises ``ProgramFailed``."""

    @abstractmethod
    def install(self, files: Sequence[str], work: Work) -> None:
        """Install what requirement files name. Raises ``ProgramFailed``.

        Args:
            files: The options that name them: ``-r file``, and ``-c file`` if there are constraints.
            work: Where, and whom to tell.
        """

    def prepare(self, spec: EnvSpec, progress: Progress) -> VirtualEnvironment:
        """Create the environment or find it in the cache."""
        folder = env_folder(self._folder)
        python = self.python(spec, folder, progress)
        root = folder / self._name(spec, python)

        def make(lock: int) -> None:
            self._make(spec, python, Work(root, progress, lock))

        record = _record(self.key, spec, python)
        lease = make_once(root, make, progress, whole=python_in(root).exists, record=record)
        return VirtualEnvironment(root, lease=lease)

    def _make(self, spec: EnvSpec, python: Interpreter, work: Work) -> None:
        work.progress(f"creating {work.root.name} with Python {python}")
        try:
            self.create(python, work)
        except ProgramFailed as failure:
            raise EnvironmentFailed(
                f"{self.key} could not create an environment with Python {python} ({python.path}):\n{failure.words}",
                hint=_hint(failure, "Check that this interpreter starts, or take another with --python."),
            ) from failure
        installed = pinned(spec)
        self._install(installed.build_dependencies, installed, "build requirement", work)
        self._install(installed.dependencies, installed, "requirement", work)

    def _install(self, lines: Sequence[str], spec: EnvSpec, noun: str, work: Work) -> None:
        if not lines:
            return
        work.progress(f"installing {len(lines)} {noun}{'s' if len(lines) > 1 else ''}")
        files = ["-r", _write(work.root / f"dovetail-{noun.replace(' ', '-')}s.txt", lines)]
        if spec.constraints:
            files += ["-c", _write(work.root / "dovetail-constraints.txt", spec.constraints)]
        try:
            self.install(files, work)
        except ProgramFailed as failure:
            source = f" of {spec.source}" if spec.source else ""
            raise EnvironmentFailed(
                f"{self.key} could not install the {noun}s{source}:\n{failure.words}",
                hint=_hint(failure, self.advice),
            ) from failure

    def _name(self, spec: EnvSpec, python: Interpreter) -> str:
        """What decides on the content: the spec, who makes it, the machine's kind and the interpreter."""
        kind = f"{self.key}\0{sys.platform}\0{platform.machine()}\0{python}\0{python.path.resolve()}"
        return f"{spec.key}-{hashlib.sha256(kind.encode()).hexdigest()[:8]}"


def _hint(failure: ProgramFailed, advice: str) -> str:
    full = os.strerror(errno.ENOSPC) in failure.words
    return (
        "Make room (`dovetail envs prune`), or have environments made elsewhere: DOVETAIL_ENV_DIR." if full else advice
    )


def _record(manager: str, spec: EnvSpec, python: Interpreter) -> Record:
    count = sum(bool(requirement_name(line)) or line.startswith(("/", ".")) for line in spec.dependencies)
    return Record(manager, str(python), spec.source or None, count, now_ms())


def _write(path: Path, lines: Sequence[str]) -> str:
    """Keep the lines in the environment: people look there for what it was made of."""
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return str(path)
