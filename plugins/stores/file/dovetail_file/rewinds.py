"""Points that were taken away, since training went on from an earlier step.

Files are only added to, so the points stay where they are, and a record says from which step on those of earlier
records do not count. What an earlier record is, moments say: whoever reads the files in another order, or a copy, comes
to the same points.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Rewind", "is_rewound", "limit", "with_rewind"]

Rewind: TypeAlias = tuple[int, int]
"""Its moment, and the first step whose points of before do not count."""
_MACHINE = "system/"


def is_rewound(key: str) -> bool:
    """Whether a metric's points are taken away; what is measured of the machine has steps that count samples."""
    return not key.startswith(_MACHINE)


def with_rewind(rewinds: Sequence[Rewind], new: Rewind) -> list[Rewind]:
    """These and another one, in order, without those that a later one goes behind.

    Their steps count up as their moments do, however often one goes back.
    """
    kept: list[Rewind] = []
    for moment, step in sorted({*rewinds, new}):
        while kept and kept[-1][1] >= step:
            kept.pop()
        kept.append((moment, step))
    return kept


def limit(rewinds: Sequence[Rewind], moment: int) -> int | None:
    """The first step whose points do not count in a record of that moment; None if all do."""
    return next((step for at, step in rewinds if at > moment), None)
