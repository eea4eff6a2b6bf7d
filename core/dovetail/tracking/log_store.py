"""The part of the seam of tracking stores that deals with what runs log."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

from dovetail.errors import DovetailError, StoreError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dovetail.values import Batch, JournalMark, LogEntry

__all__ = ["LogStore"]


class LogStore(ABC):
    """Takes what runs log. What ``TrackingStore`` guarantees holds here, too."""

    @abstractmethod
    def log_batch(self, run_id: str, batch: Batch, *, mark: JournalMark | None = None, ended: bool = False) -> None:
        """Store metrics, params and tags of a run, and how it ends, all of it or nothing.

        Identical metric points (key, step, timestamp, value) are one point, whenever they were logged. A param may be
        logged again with the same value. Of two tags of one key the last one holds, but one that says when it was set
        takes no newer one's place (of one that was removed see ``delete_tag``); the tag ``mlflow.runName`` renames
        the run.

        A metric with a ``model_id`` is a point of that logged model as well; with a dataset's name and digest it says
        what it was measured on, whether or not the dataset is known by ``log_inputs`` (yet).

        A batch with an ``end`` ends the run as ``update_run`` does, behind all else that is in it, unless somebody else
        sees to the run by now or it is too late for that (see ``Ending``); then the rest is stored all the same.

        Args:
            run_id: The run.
            batch: What to store.
            mark: Which journal record this is. A mark whose sequence is not above the highest one stored for its writer
                was stored before: then nothing is done and nothing is wrong, whatever became of the run. The highest
                sequence is stored with the batch, atomically.
            ended: Accept metrics and params although the run has ended: for journals that arrive late.

        Raises:
            NotFound: There is no such run, or no logged model that a metric names.
            ParamConflict: A param of that key has another value.
            RunEnded: The run is deleted; or it has ended, metrics or params are among the batch, and neither ``mark``
                nor ``ended`` is given. Tags may be set on a run that has ended.
        """

    def log_batches(self, entries: Sequence[LogEntry]) -> list[DovetailError | None]:
        """Do for each of many entries, of one run or several, what ``log_batch`` does, in their order.

        An entry that is refused changes nothing and keeps no other one out: those behind it find the runs as if it had
        not been there. When the call returns, all that were not refused are stored. A store may carry out many of them
        together, which costs little more than one; readers may see some of them before the others.

        Args:
            entries: What to store, and in which runs.

        Returns:
            For each entry what ``log_batch`` would have raised, None where it is stored (or was before, by its mark).

        Raises:
            StoreError: The store itself failed. Some entries may be stored then, each of them whole.
        """
        return [self._refusal(entry) for entry in entries]

    def _refusal(self, entry: LogEntry) -> DovetailError | None:
        """Store an entry; what speaks against it, if anything does."""
        try:
            self.log_batch(entry.run_id, entry.batch, mark=entry.mark, ended=entry.ended)
        except StoreError:
            raise
        except DovetailError as refusal:
            return refusal
        return None

    @abstractmethod
    def applied(self, writer: str) -> int:
        """The highest sequence stored for a journal's writer, 0 if none."""
