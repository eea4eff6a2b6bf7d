"""The part of the seam of tracking stores that deals with who sees to runs."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Leases"]


class Leases(ABC):
    """Tells runs that go on from those whose process is gone.

    A process takes the lease of a run when it creates it or takes it up (``create_run`` and ``update_run``), and gives
    signs of life from then on. What ``TrackingStore`` guarantees holds here, too.
    """

    @abstractmethod
    def beat(self, holder: str, seconds: float) -> None:
        """A sign of life: all leases of a holder hold for so long from now on, by the store's clock.

        Runs of theirs that were taken for crashed go on: they are RUNNING again.
        """

    @abstractmethod
    def reap_runs(self, holder: str | None = None, seen: int | None = None) -> Sequence[str]:
        """End as CRASHED what nobody sees to any more: runs whose lease does not hold, by the store's clock.

        They end at the last sign of life. Their leases stay known: a holder who was only slow gives the next sign, and
        its runs go on. Runs that nobody ever had the lease of are left as
        they are, and so are deleted ones.

        Args:
            holder: End all runs of this holder, which is known to be gone; by default, of all whose leases ran out.
            seen: When that holder was there for sure, in milliseconds since 1970, UTC; counts if it is later than its
                last sign of life.

        Returns:
            The ids of the runs that were ended.
        """
