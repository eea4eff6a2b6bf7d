"""Where something that was moved back and forth is to go back to."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dovetail.values import RegistryMove

__all__ = ["Trail"]


@dataclass
class Trail:
    """Where an alias, or a version among the stages, was before it came to be where it is.

    Going back to the place before the present one undoes the move in between; it is no step further. So the trail of
    moves to 1, 2, 3 and back to 2 is 1, 2, and whoever goes back once more comes to 1, not to 3 again.

    Attributes:
        places: The present or last place at the end.
        here: The present place; None for an alias that was removed, or never was there.
    """

    places: list[str] = field(default_factory=list)
    here: str | None = None

    @classmethod
    def of(cls, moves: Iterable[RegistryMove]) -> Trail:
        """The trail that moves leave.

        Args:
            moves: Those of one alias, or of the stage of one version, the earliest first.
        """
        trail = cls()
        for move in moves:
            if not trail.places and move.before is not None:
                trail.places.append(move.before)
            trail.here = move.after
            if move.after is not None:
                trail._reach(move.after)
        return trail

    def _reach(self, place: str) -> None:
        if self.places[-2:-1] == [place]:
            self.places.pop()
        elif self.places[-1:] != [place]:
            self.places.append(place)

    @property
    def earlier(self) -> list[str]:
        """Where to go back to, the nearest first; an alias that was removed goes back to where it was last."""
        known = self.places if self.here is None else self.places[:-1]
        return known[::-1]
