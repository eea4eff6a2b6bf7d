"""A share in an environment: as long as somebody has one, nobody removes it."""

from __future__ import annotations

import os
import weakref

__all__ = ["Lease"]


class Lease:
    """Keeps an environment from being removed until it is closed, or nobody refers to it any more.

    Processes that inherit the descriptor have a share of their own, which outlives this process.

    Args:
        descriptor: A file that is locked together with others; None where the environment cannot be locked.

    Attributes:
        keep: What processes that use the environment should inherit.
    """

    def __init__(self, descriptor: int | None) -> None:
        self.keep: tuple[int, ...] = () if descriptor is None else (descriptor,)
        self._end = weakref.finalize(self, _close, self.keep)

    def close(self) -> None:
        """Give the share back; a second time does nothing."""
        self.keep = ()
        self._end()


def _close(descriptors: tuple[int, ...]) -> None:
    for descriptor in descriptors:
        os.close(descriptor)
