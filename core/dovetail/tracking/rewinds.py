"""Runs that training went back in: points were taken away, which lie elsewhere still."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from dovetail.values import Tag
from dovetail.values.measure import now_ms
from dovetail.values.names import MAX_INT

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["REWOUND", "Rewind", "rewind_of", "rewound"]

REWOUND = "dovetail.rewound"
"""The tag that says ``<step>@<ms>``: the lowest step that points were taken away from, and when that was last done."""


class Rewind(NamedTuple):
    """That points were taken away from a run.

    Args:
        when: Milliseconds since 1970, UTC, of the last time; before 1970 if that was never done.
        step: The lowest step that it was done from.
    """

    when: int
    step: int


_NEVER = Rewind(-1, 0)


def rewound(tags: Mapping[str, str], from_step: int) -> Tag:
    """The tag that notes that points of a step and of later ones are taken away from a run with these tags.

    It is set before they are: where that is broken off, whoever follows the tag loses nothing that is still here.
    """
    before = rewind_of(tags)
    step = from_step if before == _NEVER else min(from_step, before.step)
    return Tag(REWOUND, f"{step}@{max(now_ms(), before.when + 1)}")


def rewind_of(tags: Mapping[str, str]) -> Rewind:
    """What a run's tags say of it; a tag that somebody wrote otherwise says nothing."""
    step, _, when = tags.get(REWOUND, "").partition("@")
    try:
        found = Rewind(int(when), int(step))
    except ValueError:
        return _NEVER
    return found if all(abs(number) <= MAX_INT for number in found) else _NEVER
