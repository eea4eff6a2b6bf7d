"""Jobs as processes on this machine."""

from __future__ import annotations

import os
import subprocess
import threading
import time
from typing import IO, TYPE_CHECKING

from dovetail.errors import EnvironmentFailed, InvalidInput
from dovetail.posix import end_group, private_folder, start_group
from dovetail.projects.backend import Backend, Submission
from dovetail.values.state import RunStatus

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from dovetail.projects.backend import Job

__all__ = ["LocalBackend", "LocalSubmission"]

_GRACE = 10.0
_POLL = 0.05
_CHUNK = 1 << 16


class LocalBackend(Backend):
    """Starts each job as a process with its own process group, its output in the job's log.

    The one option is ``grace_seconds`` (default 10): how long a cancelled job may take to end by itself.
    """

    def submit(self, job: Job) -> LocalSubmission:
        """Start the job and return without waiting for it."""
        grace = _grace(job)
        argv, variables = job.environment.wrap(job.argv, {**os.environ, **job.env})
        # Otherwise Python keeps what is printed to itself until it has 8 KiB of it, and nobody sees how far it is.
        variables.setdefault("PYTHONUNBUFFERED", "1")
        if not job.folder.is_dir():
            raise EnvironmentFailed(
                f"The working folder {job.folder} is missing.", hint="Check the project's folder and its URI."
            )
        with _opened(job.log) as log:
            start = os.fstat(log.fileno()).st_size
            process = _started(argv, variables, job, log)
        return LocalSubmission(job.run_id, process, job.log, start, grace)


class LocalSubmission(Submission):
    """A job that runs, or ran, on this machine.

    Args:
        run_id: The run it belongs to.
        process: The head of its process group.
        log: The file its output goes to.
        start: Where in the file its output begins: a run that is taken up again goes on in the same file.
        grace: Seconds between asking it to end and killing it.
    """

    def __init__(self, run_id: str, process: subprocess.Popen[bytes], log: Path, start: int, grace: float) -> None:
        self.run_id = run_id
        self.pid = process.pid
        self._process = process
        self._log = log
        self._start = start
        self._grace = grace
        self._cancelled = False
        self._cancelling = threading.Lock()

    def wait(self) -> str:
        """Wait for the end; return FINISHED, FAILED or KILLED."""
        self._process.wait()
        return self.status()

    def cancel(self) -> None:
        """Ask the job and everything it started to end, and kill what is left after the grace period."""
        with self._cancelling:
            if self._process.poll() is None:
                self._cancelled = True
                end_group(self._process, grace=self._grace)

    def status(self) -> str:
        """A ``RunStatus``.

        What did not get through after ``cancel`` was KILLED; what anybody else sent a signal to has FAILED.
        """
        code = self._process.poll()
        if code is None:
            return RunStatus.RUNNING
        if code == 0:
            return RunStatus.FINISHED
        return RunStatus.KILLED if self._cancelled else RunStatus.FAILED

    def logs(self) -> Iterator[bytes]:
        """Its output as it comes, from the beginning; ends when the job has ended and all it wrote was given."""
        with self._log.open("rb") as stream:
            stream.seek(self._start)
            while True:
                # In this order: what the job wrote before its end is in the file when its size is asked for. What a
                # process that it left behind writes later is not waited for.
                ended = self._process.poll() is not None
                size = os.fstat(stream.fileno()).st_size
                while (rest := size - stream.tell()) > 0:
                    yield stream.read(min(_CHUNK, rest))
                if ended:
                    return
                time.sleep(_POLL)

    @property
    def exit_code(self) -> int | None:
        """What the command exited with; None while it runs."""
        return self._process.poll()


def _grace(job: Job) -> float:
    unknown = sorted(set(job.options) - {"grace_seconds"})
    if unknown:
        raise InvalidInput(
            f"The local backend does not know the option {unknown[0]!r}.", hint="It knows grace_seconds alone."
        )
    seconds = job.options.get("grace_seconds", _GRACE)
    if isinstance(seconds, bool) or not isinstance(seconds, (int, float)) or not 0 <= seconds < float("inf"):
        raise InvalidInput(f"grace_seconds is {seconds!r}.", hint="Give a number of seconds, such as 10.")
    return float(seconds)


def _started(argv: list[str], variables: dict[str, str], job: Job, log: IO[bytes]) -> subprocess.Popen[bytes]:
    try:
        # Who removes environments must see this one in use for as long as the job runs, whatever becomes of us.
        keep = (*job.environment.keep, *job.keep)
        return start_group(argv, env=variables, cwd=job.folder, stdout=log, stderr=subprocess.STDOUT, keep=keep)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise EnvironmentFailed(
            f"{argv[0]!r} cannot be started in {job.folder}: {reason}.",
            hint="Check that the program is installed in the environment the job runs in.",
        ) from error


def _opened(path: Path) -> IO[bytes]:
    """The log, for this user's eyes only: people print secrets."""
    try:
        private_folder(path.parent)
        return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "wb")
    except OSError as error:
        raise EnvironmentFailed(
            f"The log {path} cannot be written: {error.strerror}.", hint="Make room, or set DOVETAIL_STATE_DIR."
        ) from error
