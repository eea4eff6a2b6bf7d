"""Which points of a long series to keep, such that it still looks the same.

Every function exists twice, in plain Python and with numpy, and gives the same positions both ways.
"""

from __future__ import annotations

import math
import operator
from functools import reduce
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from dovetail.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = [
    "LEAST",
    "METHODS",
    "check_thinning",
    "extremes",
    "minmax",
    "minmax_by_numpy",
    "triangles",
    "triangles_by_numpy",
]

METHODS = ("minmax", "lttb")
"""``minmax`` loses no peak; ``lttb`` keeps the shape and may lose some."""
LEAST = 4
"""The fewest points to thin out to: the first, the last, the lowest and the highest."""

_HUGE, _SCALE = 2.0**900, 2.0**-200


def check_thinning(points: int | None, method: str) -> int | None:
    """Return the number of points as a plain one, if there is such a method and they are enough to keep any promise.

    Raises:
        InvalidInput: There is no such method, or points are no whole number from ``LEAST`` on.
    """
    if method not in METHODS:
        raise InvalidInput(f"{method!r} is no way to thin out a series.", hint=f"Use {' or '.join(METHODS)}.")
    if points is None:
        return None
    try:
        number = 0 if isinstance(points, bool) else operator.index(points)  # takes the numbers of numpy, too
    except TypeError:
        number = 0
    if number < LEAST:
        raise InvalidInput(f"points is {points!r}; it must be a whole number from {LEAST} on.")
    return number


def extremes(values: Sequence[float]) -> tuple[int, int]:
    """The positions of the lowest and the highest number, each the first of its kind; twice 0 if all are NaN.

    Args:
        values: A list, at least one long.
    """
    low, high = min(values), max(values)
    # NaN wins where it comes first, and is passed over anywhere else.
    if not math.isnan(low) and not math.isnan(high):
        return values.index(low), values.index(high)
    numbers = [place for place, value in enumerate(values) if not math.isnan(value)]
    if not numbers:
        return 0, 0
    low_place, high_place = extremes([values[place] for place in numbers])
    return numbers[low_place], numbers[high_place]


# --- lowest and highest of each bucket -----------------------------------------------------------------------


def minmax(values: Sequence[float], points: int) -> list[int]:
    """The first and last position, and those of the lowest and highest number of each of equal parts between them.

    NaN is neither lowest nor highest; of a part that is nothing but NaN its first point is kept, so that the gap
    shows.

    Args:
        values: A list longer than ``points``.
        points: At most this many positions are given, in order; at least ``LEAST``.
    """
    kept = [0]
    for start, end in _parts(len(values), (points - 2) // 2):
        low, high = extremes(values[start:end])
        kept += sorted({start + low, start + high})
    return [*kept, len(values) - 1]


def minmax_by_numpy(values: Any, points: int) -> list[int]:
    """The same of a numpy array."""
    kept = [0]
    for start, end in _parts(len(values), (points - 2) // 2):
        part = values[start:end]
        low, high = int(part.argmin()), int(part.argmax())
        if math.isnan(part[low]):
            low, high = extremes(part.tolist())
        kept += sorted({start + low, start + high})
    return [*kept, len(values) - 1]


# --- largest triangles ---------------------------------------------------------------------------------------


def triangles(values: Sequence[float], points: int) -> list[int]:
    """Positions by "largest triangle three buckets": the first, the last, and one of each of equal parts between them.

    Of each part that point is kept which spans the largest triangle with the point kept before and the mean of the
    part behind; the position in the series counts as x. An infinite value is kept before any number, NaN only where
    a part has nothing else.

    Args:
        values: A list longer than ``points``.
        points: This many positions are given, in order; at least ``LEAST``.
    """
    values = _scaled(values)
    kept, height = [0], _height(values[0], 0.0)
    for (start, end), (after, until) in _neighbours(len(values), points - 2):
        mean = _mean([value for value in values[after:until] if math.isfinite(value)], height)
        place = _tip(values[start:end], _triangle(kept[-1], height, (after + until - 1) / 2, mean), start)
        kept.append(start + place)
        height = _height(values[start + place], height)
    return [*kept, len(values) - 1]


def triangles_by_numpy(values: Any, points: int) -> list[int]:
    """The same of a numpy array."""
    import numpy as np

    values, whole = _scaled_by_numpy(values), bool(np.isfinite(values).all())
    places = np.arange(len(values))
    kept, height = [0], _height(float(values[0]), 0.0)
    for (start, end), (after, until) in _neighbours(len(values), points - 2):
        behind = values[after:until]
        behind = behind if whole else behind[np.isfinite(behind)]
        # Added up one by one, as plain Python does.
        mean = float(np.add.accumulate(behind / len(behind))[-1]) if len(behind) else height
        place = _tip_by_numpy(
            np,
            values[start:end],
            places[start:end],
            _triangle(kept[-1], height, (after + until - 1) / 2, mean),
            whole=whole,
        )
        kept.append(start + place)
        height = _height(float(values[start + place]), height)
    return [*kept, len(values) - 1]


def _triangle(x: int, y: float, mean_x: float, mean_y: float) -> tuple[int, float, float, float]:
    """What the area over a point (x', y') is made of: ``|a * (y' - y) - (x - x') * b|``, as (x, y, a, b)."""
    return x, y, x - mean_x, mean_y - y


def _tip(part: Sequence[float], triangle: tuple[int, float, float, float], start: int) -> int:
    x, y, a, b = triangle
    areas = [abs(a * (value - y) - (x - place) * b) for place, value in enumerate(part, start)]
    # NaN has no area, less than any; the infinite have an infinite one.
    areas = [-1.0 if math.isnan(area) else area for area in areas]
    return areas.index(max(areas))


def _tip_by_numpy(np: Any, part: Any, places: Any, triangle: tuple[int, float, float, float], *, whole: bool) -> int:
    x, y, a, b = triangle
    areas = abs(a * (part - y) - (x - places) * b)
    if not whole:
        areas[np.isnan(areas)] = -1.0
    return int(areas.argmax())


def _mean(numbers: Sequence[float], default: float) -> float:
    """The mean; each is divided first, since the sum could be more than a number holds."""
    return reduce(operator.add, [number / len(numbers) for number in numbers]) if numbers else default


def _height(value: float, before: float) -> float:
    return value if math.isfinite(value) else before


def _scaled(values: Sequence[float]) -> Sequence[float]:
    """Values whose areas are no more than a number holds; the order of the areas stays."""
    if not any(_HUGE < abs(value) < math.inf for value in values):
        return values
    return [value * _SCALE for value in values]


def _scaled_by_numpy(values: Any) -> Any:
    import numpy as np

    sizes = abs(values)
    return values * _SCALE if bool(np.logical_and(sizes > _HUGE, sizes < math.inf).any()) else values


# --- parts ---------------------------------------------------------------------------------------------------


def _parts(count: int, parts: int) -> Iterator[tuple[int, int]]:
    """Start and end of so many equal parts of what is between the first and the last of ``count`` points."""
    inner = count - 2
    return ((1 + part * inner // parts, 1 + (part + 1) * inner // parts) for part in range(parts))


def _neighbours(count: int, parts: int) -> Iterator[tuple[tuple[int, int], tuple[int, int]]]:
    """Each part and the one behind it, which in the end is the last point."""
    found = [*_parts(count, parts), (count - 1, count)]
    return pairwise(found)
