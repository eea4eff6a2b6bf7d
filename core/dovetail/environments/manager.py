"""The seam that environment managers fit into."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dovetail.environments.spec import EnvSpec

__all__ = ["EnvManager", "Environment", "Progress"]


class Progress(Protocol):
    """Told what a long piece of work is doing; a surface shows it."""

    def __call__(self, message: str, /) -> None:
        """One line for people, such as ``installing 12 requirements``."""


class Environment(ABC):
    """An environment that is ready to run commands in.

    Attributes:
        name: How people recognise it, such as a cache key.
        python: The command that is its Python interpreter, absolute where it is on this machine.
        python_version: Its version, such as ``3.11.7``; None where nobody knows.
        keep: Descriptors that what runs in it should inherit, where it is a process of this machine: locks that say
            that the environment is in use.
    """

    name: str
    python: str
    python_version: str | None = None
    keep: tuple[int, ...] = ()

    @abstractmethod
    def wrap(self, argv: Sequence[str], env: Mapping[str, str]) -> tuple[list[str], dict[str, str]]:
        """The command and variables that run ``argv`` inside this environment.

        Args:
            argv: Program and arguments; ``python`` means this environment's interpreter.
            env: The variables the command is to see; the answer builds on them.
        """


class EnvManager(ABC):
    """Prepares environments from their specs.

    Guarantees, checked by ``dovetail.testing.EnvManagerSuite``:

    * **Content decides.** Equal specs give one environment; a changed requirement gives another.
    * **Whole or absent.** An interrupted or killed preparation never leaves an environment that looks ready.
    * **Concurrency.** Several processes preparing the same spec make it once; the others wait.
    * **Local wheels win.** ``spec.wheels`` are installed instead of anything an index has under these names.
    * **Errors**: ``EnvironmentFailed`` with what the installer said; ``InvalidInput`` for a spec it cannot express.

    Attributes:
        chooses_python: Whether it makes environments with the Python that a spec names. One that answers with a
            Python that is there anyway sets it False; then asking for one is an error.
    """

    chooses_python: ClassVar[bool] = True

    @abstractmethod
    def prepare(self, spec: EnvSpec, progress: Progress) -> Environment:
        """Create the environment or find it in the cache.

        Args:
            spec: What it must contain.
            progress: Told about each step that may take time.
        """
