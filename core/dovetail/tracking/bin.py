"""The part of the seam of tracking stores that deals with what is deleted."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dovetail.values.value import Value

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Bin", "Discarded"]


@dataclass(frozen=True, repr=False)
class Discarded(Value):
    """Something that lies in the bin.

    Args:
        kind: ``run``, ``logged_model`` or ``experiment``.
        id: Its id.
        name: What people call it.
        experiment_id: The experiment it lies in, or is.
        artifact_uri: The folder that its artifacts lie under.
        deletion_time: When it was put there, in milliseconds since 1970, UTC; 0 if nobody noted it.
        condemned: Whether taking it away for good has begun: it cannot be restored any more.
    """

    kind: str
    id: str
    name: str
    experiment_id: str
    artifact_uri: str
    deletion_time: int
    condemned: bool = False


class Bin(ABC):
    """Takes deleted things away for good, in steps that can be taken up again after a crash.

    ``condemn`` first, then whoever does so deletes the artifacts, then ``purge``. What ``TrackingStore`` guarantees
    holds here, too.
    """

    @abstractmethod
    def discarded(self, before: int | None = None) -> Sequence[Discarded]:
        """What lies in the bin: runs first, then logged models, then experiments, the oldest first in each.

        A deleted experiment takes the runs and logged models in it along, those that were never deleted themselves
        included.

        Args:
            before: Only what was deleted before this moment, in milliseconds since 1970, UTC; what is condemned is
                always among it. None for all.
        """

    @abstractmethod
    def condemn(self, item: Discarded) -> bool:
        """Note that taking it away has begun: from now on it can neither be restored nor found nor written to.

        Returns:
            Whether it was still in the bin; condemning what is condemned changes nothing and is True.
        """

    @abstractmethod
    def purge(self, item: Discarded) -> bool:
        """Remove everything that the store has of a condemned thing; the name of an experiment is free afterwards.

        Points that a purged run logged to logged models go with it.

        Returns:
            Whether there was something to remove.

        Raises:
            InvalidState: It is not condemned, or it is an experiment that still has runs or logged models.
        """

    def compact(self) -> int | None:
        """Give the space that purged things had back to the disk; others may have to wait meanwhile.

        Returns:
            How many bytes were given back; None for a store that sees to that by itself.
        """
        return None
