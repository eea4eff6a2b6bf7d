"""Which part of a file a request wants."""

from __future__ import annotations

import re

from dovetail.errors import DovetailError

__all__ = ["BeyondTheEnd", "part_of"]

_ONE = re.compile(r"\s*bytes\s*=\s*(\d*)\s*-\s*(\d*)\s*", re.IGNORECASE)
_MOST_DIGITS = 19


class BeyondTheEnd(DovetailError):
    """The part of a file that is wanted is not there."""

    status = 416
    error_code = "INVALID_PARAMETER_VALUE"


def part_of(wanted: str, size: int) -> tuple[int, int] | None:
    """The part that a header ``Range`` names.

    Several parts at once, other units, and what cannot be read are as if nothing was named, as HTTP allows: then the
    whole file is sent.

    Args:
        wanted: The header's value.
        size: The bytes of the file.

    Returns:
        Where it begins and how long it is; None for the whole file.

    Raises:
        BeyondTheEnd: The file ends before.
    """
    match = _ONE.fullmatch(wanted)
    if match is None or not (match[1] or match[2]) or max(map(len, match.groups())) > _MOST_DIGITS:
        return None
    if not match[1]:  # so many at the end
        begin, end = max(size - int(match[2]), 0), size
    else:
        begin, end = int(match[1]), min(int(match[2]) + 1, size) if match[2] else size
        if match[2] and int(match[2]) < begin:
            return None
    if begin >= size:
        raise BeyondTheEnd(f"The file has {size} bytes; there is nothing from {begin} on.")
    return begin, end - begin
