"""Lengths of time as people write them: ``30d``, ``12h``, ``1d2h3m4s``."""

from __future__ import annotations

import re

__all__ = ["GRAMMAR", "seconds_of"]

GRAMMAR = "numbers with w, d, h, m or s for weeks to seconds, such as 30d, 12h or 1d2h3m4s; or 0"

_SECONDS = {"w": 7 * 86400, "d": 86400, "h": 3600, "m": 60, "s": 1}
# Each unit once at most, from the largest to the smallest.
_DURATION = re.compile("".join(rf"(?:([0-9]{{1,9}}(?:\.[0-9]{{1,9}})?)\s*{unit}\s*)?" for unit in _SECONDS))


def seconds_of(text: str) -> float:
    """How many seconds a length of time is.

    Args:
        text: Numbers with their units, see ``GRAMMAR``; case and spaces do not count.

    Raises:
        ValueError: It is none.
    """
    plain = text.strip().lower()
    match = _DURATION.fullmatch(plain)
    if plain != "0" and (match is None or not plain):
        raise ValueError(f"{text[:40]!r} is no length of time")
    parts = match.groups() if match else ()
    return float(sum(float(part) * size for part, size in zip(parts, _SECONDS.values(), strict=False) if part))
