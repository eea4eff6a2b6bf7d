"""How runs end."""

from __future__ import annotations

from dataclasses import dataclass

from dovetail.values.state import RunStatus
from dovetail.values.value import Value

__all__ = ["Ending"]


@dataclass(frozen=True, repr=False)
class Ending(Value):
    """How a run ended, in the words of whoever saw to it.

    Args:
        status: One of ``RunStatus.ENDED``.
        end_time: Milliseconds since 1970, UTC.
        holder: Who says so, as the holder of a lease: while somebody else's lease holds, the run goes on. None for
            somebody whose word always counts.
        late: Whether that was a while ago: then a run that ended otherwise meanwhile, but as CRASHED, stays so.

    Raises:
        InvalidInput: The status ends no run.
    """

    status: str
    end_time: int
    holder: str | None = None
    late: bool = False

    def __post_init__(self) -> None:
        self.__dict__["status"] = RunStatus.check_ended(self.status)

    def changes(self, status: str) -> bool:
        """Whether a run of that status is to end by this."""
        return not self.late or status == RunStatus.CRASHED or status not in RunStatus.ENDED
