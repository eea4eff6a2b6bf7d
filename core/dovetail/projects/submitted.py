"""A project run that was started: following it, waiting for it, ending it."""

from __future__ import annotations

import sys
import threading
from contextlib import suppress
from typing import TYPE_CHECKING

from dovetail.errors import DovetailError, NotFound, StoreError
from dovetail.tracking import surroundings, termination
from dovetail.tracking.console import LOG_ARTIFACT, later_log
from dovetail.tracking.run_artifacts import RunArtifacts
from dovetail.values import RunStatus
from dovetail.values.measure import now_ms

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from dovetail.artifacts.store import ArtifactStore
    from dovetail.projects.backend import Submission
    from dovetail.tracking.store import TrackingStore

__all__ = ["LOG_ARTIFACT", "SubmittedRun", "echo_to_stdout"]


class SubmittedRun:
    """A run of a project.

    Attributes:
        run_id: The run.
        log_artifact: The artifact that its output becomes.
    """

    def __init__(self, run_id: str, submission: Submission, store: TrackingStore, log: Path) -> None:
        self.run_id, self.log_artifact = run_id, LOG_ARTIFACT
        self._submission = submission
        self._store = store
        self._log = log
        self._finishing = threading.Lock()
        self._finished: str | None = None
        self._watcher: threading.Thread | None = None

    def __repr__(self) -> str:
        """The run, and how it ended; whether it still runs is not asked for this."""
        from dovetail.values.summary import summary

        return summary(type(self).__name__, {"run_id": self.run_id, "ended": self._finished})

    def follow(self, echo: Callable[[bytes], None] | None = None) -> bool:
        """Pass on the output as it comes, wait for the end and record it.

        Returns:
            Whether the run finished well.
        """
        termination.attend(self.cancel)
        try:
            for chunk in self._submission.logs():
                if echo is not None:
                    echo(chunk)
        except BaseException:  # Ctrl-C or a closed pipe: what was started must not outlive us
            self._cancel_in_any_case()
            raise
        return self._finish() == RunStatus.FINISHED

    def watch(self) -> None:
        """Wait for the end in the background and record it; the interpreter stays until then."""
        termination.attend(self.cancel)
        self._watcher = threading.Thread(target=self._finish, name=f"dovetail-run-{self.run_id[:8]}")
        self._watcher.start()

    def wait(self) -> bool:
        """Wait for the end; return whether the run finished well."""
        return self._finish() == RunStatus.FINISHED

    def get_status(self) -> str:
        """RUNNING, FINISHED, FAILED or KILLED, without waiting."""
        return self._finished or self._submission.status()

    @property
    def exit_code(self) -> int | None:
        """What the command exited with (negative: the signal that ended it); None while it runs."""
        return self._submission.exit_code

    def cancel(self) -> None:
        """End the run and everything it started; it is recorded as KILLED."""
        self._submission.cancel()
        self._finish()

    def _cancel_in_any_case(self) -> None:
        """Cancel, also while Ctrl-C is pressed again and again: ending takes its time."""
        while not self._was_cancelled():
            pass

    def _was_cancelled(self) -> bool:
        try:
            self.cancel()
        except KeyboardInterrupt:
            return False
        return True

    def _finish(self) -> str:
        status = self._submission.wait()
        failure: DovetailError | OSError | None = None
        with self._finishing:
            if self._finished is None:
                surroundings.end(self.run_id)
                try:
                    self._keep_log()
                except (DovetailError, OSError) as error:
                    failure = error
                finally:
                    self._finished = self._record(status)
                    termination.forget(self.cancel)
        if failure is not None:
            raise self._not_kept(failure) from failure
        return self._finished

    def _keep_log(self) -> None:
        if self._log.is_file():
            artifacts = RunArtifacts(self._store, self.run_id).store
            if _has_log(artifacts):
                self.log_artifact = later_log()
            with self._log.open("rb") as stream:
                artifacts.put(self.log_artifact, stream)
            self._log.unlink()
            with suppress(OSError):  # the backend keeps something else beside it
                self._log.parent.rmdir()

    def _not_kept(self, failure: DovetailError | OSError) -> DovetailError:
        """The output is not lost, and what became of the run is not hidden by what became of its output."""
        cause = failure if isinstance(failure, DovetailError) else StoreError(f"{failure}.")
        return type(cause)(
            f"Run {self.run_id} ended as {self._finished}, but its output could not be uploaded: {cause.message}",
            hint=" ".join(filter(None, [cause.hint, f"The output lies in {self._log}."])),
        )

    def _record(self, status: str) -> str:
        info = self._store.get_run(self.run_id).info
        # A command that ended well may have ended its run in another way itself: then its word holds.
        if status == RunStatus.FINISHED and info.status in RunStatus.ENDED:
            return info.status
        self._store.update_run(self.run_id, status=status, end_time=now_ms())
        return status


def _has_log(artifacts: ArtifactStore) -> bool:
    """Whether the run was launched before: that output stays."""
    with suppress(NotFound):
        return any(each.path == LOG_ARTIFACT and not each.is_dir for each in artifacts.list("logs"))
    return False


def echo_to_stdout(chunk: bytes) -> None:
    """Write output of the run to our own standard output at once."""
    stream = getattr(sys.stdout, "buffer", None)
    if stream is None:  # a notebook's standard output takes text only
        sys.stdout.write(chunk.decode("utf-8", errors="replace"))
    else:
        sys.stdout.flush()
        stream.write(chunk)
    sys.stdout.flush()
