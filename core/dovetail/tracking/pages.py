"""Pages of results that lie in memory, with tokens that belong to one search."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from typing import TYPE_CHECKING, TypeVar

from dovetail.errors import InvalidFilter
from dovetail.values import Page

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["page_of"]

Item = TypeVar("Item")


def page_of(
    items: Sequence[Item], max_results: int | None, page_token: str | None, search: tuple[str, ...]
) -> Page[Item]:
    """The page of the results that a token names.

    Args:
        items: All results, in order.
        max_results: The most results on the page; None for all that are left.
        page_token: The token of the page before; None for the first page.
        search: What was asked for; a token is good for one search alone.

    Raises:
        InvalidFilter: The token was not handed out for this search.
    """
    start = 0 if page_token is None else _start(page_token, _digest(search))
    end = len(items) if max_results is None else start + max_results
    return Page(list(items[start:end]), _token(end, _digest(search)) if end < len(items) else None)


def _digest(search: tuple[str, ...]) -> str:
    return hashlib.sha256(json.dumps(search).encode()).hexdigest()[:16]


def _token(start: int, digest: str) -> str:
    return base64.urlsafe_b64encode(json.dumps([start, digest]).encode()).decode()


def _start(token: str, digest: str) -> int:
    try:
        start, of_search = json.loads(base64.b64decode(token, altchars=b"-_", validate=True))
    except (binascii.Error, ValueError, TypeError):
        start, of_search = None, None
    if of_search != digest or type(start) is not int or start < 0:
        raise InvalidFilter(
            f"{token[:80]!r} is no page token of this search.",
            hint="Use the token of the page before, with the same filter, order and view.",
        )
    return start
