"""Objects as one JSON list, an object a line."""

from __future__ import annotations

from typing import IO, TYPE_CHECKING, Any

from dovetail.cli import output

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["write"]


def write(file: IO[str], objects: Iterable[Any]) -> int:
    """Write the objects and return how many there are; NaN and the infinities become text, as everywhere."""
    count = 0
    file.write("[")
    for each in objects:
        file.write(f"{',' * (count > 0)}\n{output.json_text(each)}")
        count += 1
    file.write("\n]\n")
    return count
