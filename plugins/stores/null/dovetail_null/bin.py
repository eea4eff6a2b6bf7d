"""A bin that is always empty."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dovetail.tracking.store import TrackingStore

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dovetail.tracking.bin import Discarded

__all__ = ["NullBin"]


class NullBin(TrackingStore):
    """A bin that is always empty."""

    def discarded(self, before: int | None = None) -> Sequence[Discarded]:
        """Nothing: what is deleted here was never kept."""
        del before
        return ()

    def condemn(self, item: Discarded) -> bool:
        """False: it is not in the bin."""
        del item
        return False

    def purge(self, item: Discarded) -> bool:
        """False: there is nothing to remove."""
        del item
        return False
