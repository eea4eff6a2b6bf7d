"""The seam that execution backends fit into."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from dovetail.environments.manager import Environment

__all__ = ["Backend", "Job", "Submission"]


@dataclass(frozen=True)
class Job:
    """A command to run for a run.

    Args:
        run_id: The run it belongs to.
        argv: Program and arguments, not yet wrapped by the environment.
        env: Variables the command sees in addition to what the place it runs in has.
        folder: The working folder.
        environment: What it runs inside.
        log: Local file that keeps its output; the backend writes or fills it.
        options: The backend's own options (``--backend-config``).
        keep: Descriptors of this machine that the command inherits, where it runs here.
    """

    run_id: str
    argv: tuple[str, ...]
    env: Mapping[str, str]
    folder: Path
    environment: Environment
    log: Path
    options: Mapping[str, object] = field(default_factory=dict)
    keep: tuple[int, ...] = ()


class Submission(ABC):
    """A job that was handed over.

    Attributes:
        run_id: The run it belongs to.
    """

    run_id: str

    @abstractmethod
    def wait(self) -> str:
        """Wait for the end; return FINISHED, FAILED or KILLED."""

    @abstractmethod
    def cancel(self) -> None:
        """Stop the job and everything it started; one that has ended stays as it is."""

    @abstractmethod
    def status(self) -> str:
        """A ``RunStatus``, without waiting."""

    @abstractmethod
    def logs(self) -> Iterator[bytes]:
        """Standard output and error as they come, from the beginning, until the job ends. May be walked again."""

    @property
    @abstractmethod
    def exit_code(self) -> int | None:
        """What the command exited with (negative: the signal that ended it); None while it runs."""


class Backend(ABC):
    """Runs jobs somewhere.

    Guarantees, checked by ``dovetail.testing.BackendSuite``: the command gets exactly ``argv`` (never through a shell)
    wrapped by the environment, ``env`` and the folder; nothing it prints is lost; ``cancel`` ends its children too;
    a job that cannot start raises ``EnvironmentFailed`` from ``submit``.
    """

    @abstractmethod
    def submit(self, job: Job) -> Submission:
        """Start the job and return without waiting for it.

        Raises:
            EnvironmentFailed: The command cannot be started.
            InvalidInput: ``options`` holds something this backend does not know.
        """
