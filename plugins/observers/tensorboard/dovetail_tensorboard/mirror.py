"""The logs of the runs that were started in this process, as long as they last."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dovetail.values import Batch, Run
    from dovetail_tensorboard.run_log import RunLog

__all__ = ["Mirror"]


class Mirror:
    """Writes batches into the logs of their runs; those of other runs are passed over.

    A log that cannot be written is given up: whoever tells the news reports the error, once.
    """

    def __init__(self) -> None:
        self._logs: dict[str, RunLog] = {}
        self._lock = threading.RLock()

    def open(self, run: Run, folder: str) -> None:
        """Begin the log of a run, with the params and tags it has.

        Args:
            run: The run.
            folder: TensorBoard's log directory.

        Raises:
            OSError: It cannot be made.
        """
        from dovetail_tensorboard.run_log import RunLog  # only now: it imports numpy and protobuf

        with self._lock:
            if run.info.run_id not in self._logs:
                self._logs[run.info.run_id] = RunLog(run, folder)

    def write(self, run_id: str, batch: Batch) -> None:
        """Write what a run logged.

        Raises:
            OSError: The disk is full, or gone.
        """
        with self._lock:
            log = self._logs.get(run_id)
            if log is None:
                return
            try:
                log.write(batch)
            except OSError:
                del self._logs[run_id]
                raise

    def close(self, run: Run) -> None:
        """End the log of a run.

        Raises:
            OSError: The disk is full, or gone.
        """
        with self._lock:
            log = self._logs.pop(run.info.run_id, None)
            if log is not None:
                log.close(run)

    # --- around a fork ---------------------------------------------------------------------------------------

    def hold(self) -> None:
        """Let no log be written, so that no process forks with half a record in a buffer."""
        self._lock.acquire()

    def go_on(self) -> None:
        """Let logs be written again."""
        self._lock.release()

    def begin_anew(self) -> None:
        """In the child, which has no logs: they are its parent's."""
        self._logs.clear()
        self._lock.release()
