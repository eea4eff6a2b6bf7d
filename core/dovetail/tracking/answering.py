"""The seam for tracking stores that somebody else answers for, across a network."""

from __future__ import annotations

from abc import ABC, abstractmethod

__all__ = ["Answering"]


class Answering(ABC):
    """What a ``TrackingStore`` is beside that if a server answers for it, which may be away, or another one than meant.

    A store on this machine's own disk is none.
    """

    @abstractmethod
    def answered_by(self) -> str:
        """Ask who answers, and how soon; nothing is changed.

        Returns:
            One line, such as ``dovetail 0.1.0, answers in 3 ms``.

        Raises:
            StoreUnavailable: Nobody does.
            StoreError: It is no such server, or does not let us in.
        """
