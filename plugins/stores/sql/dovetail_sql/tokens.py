"""Page tokens: opaque text that says behind which row of which search the next page begins."""

from __future__ import annotations

import base64
import binascii
import json
import zlib
from typing import TYPE_CHECKING, Any

from dovetail.errors import InvalidFilter
from dovetail_sql.storable import is_storable

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["make", "read"]


def make(search: Sequence[object], place: Sequence[Any]) -> str:
    """The token for the page behind a place.

    Args:
        search: What was asked for; the token is good for it alone.
        place: What the last row of the page is sorted by.
    """
    return base64.urlsafe_b64encode(json.dumps([_mark(search), *place]).encode()).decode()


def read(token: str, search: Sequence[object], kinds: Sequence[tuple[type, ...]]) -> list[Any]:
    """The place that a token names.

    Args:
        token: What the client sent.
        search: What is asked for now.
        kinds: The types that each part of the place may have.

    Raises:
        InvalidFilter: The token is not one of this search.
    """
    place: list[Any]
    try:
        mark, *place = json.loads(base64.b64decode(token, altchars=b"-_", validate=True))
    except (binascii.Error, ValueError, TypeError, RecursionError):
        mark, place = None, []
    fits = len(place) == len(kinds) and all(type(part) in kind for part, kind in zip(place, kinds, strict=True))
    if mark != _mark(search) or not fits or not all(map(_comparable, place)):
        raise InvalidFilter(
            f"{str(token)[:80]!r} is no page token of this search.",
            hint="Use the token of the page before, with the same filter, order and view.",
        )
    return place


def _mark(search: Sequence[object]) -> int:
    # Guards against mix-ups, not against forgery: whoever may search may also begin anywhere.
    return zlib.crc32(json.dumps(search).encode())


def _comparable(part: Any) -> bool:
    """Whether a part can be compared in a database: whole numbers of 64 bits, text that can be stored."""
    return is_storable(part) and (not isinstance(part, int) or -(2**63) <= part < 2**63)
