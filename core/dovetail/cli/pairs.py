"""Tags as people write them on the command line: KEY=VALUE."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dovetail.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["pairs"]


def pairs(given: Iterable[str]) -> dict[str, str]:
    """The tags by key.

    Raises:
        InvalidInput: One is not of that form, or a key is there twice.
    """
    found: dict[str, str] = {}
    for each in given:
        key, equals, value = each.partition("=")
        if not key or not equals:
            raise InvalidInput(f"{each!r} is no tag.", hint="Write KEY=VALUE.")
        if key in found:
            raise InvalidInput(f"Tag {key!r} is given twice.", hint="Keep one of the two.")
        found[key] = value
    return found
