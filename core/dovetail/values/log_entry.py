"""What is written to one of many runs at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dovetail.values.names import check_name
from dovetail.values.value import Value

if TYPE_CHECKING:
    from dovetail.values.batch import Batch, JournalMark

__all__ = ["LogEntry"]


@dataclass(frozen=True, repr=False)
class LogEntry(Value):
    """A batch and the run it is for, among those of other runs: the arguments of ``TrackingStore.log_batch``.

    Args:
        run_id: The run.
        batch: What to store.
        mark: Which journal record this is.
        ended: Accept metrics and params although the run has ended.

    Raises:
        InvalidInput: The run's id is no text.
    """

    run_id: str
    batch: Batch
    mark: JournalMark | None = None
    ended: bool = False

    def __post_init__(self) -> None:
        check_name("run id", self.run_id)
