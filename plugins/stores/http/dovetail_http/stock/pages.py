"""Pages of what a server finds, with what it cannot tell apart sifted here."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from typing import TYPE_CHECKING, TypeVar

from dovetail.errors import InvalidFilter
from dovetail.values import Page

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["every", "sifted"]

Item = TypeVar("Item")

_FEWEST = 100
"""Results that a server is asked for at a time where not all of them may do."""


def every(fetch: Callable[[str | None, int], Page[Item]], size: int) -> list[Item]:
    """All that a server finds.

    Args:
        fetch: Gives the server's page by its token and size.
        size: The most results that the server gives at a time.
    """
    return [item for item, _ in _walk(fetch, None, size)]


def sifted(
    fetch: Callable[[str | None, int], Page[Item]],
    meets: Callable[[Item], bool] | None,
    limits: tuple[int, int],
    page_token: str | None,
    search: tuple[str, ...],
) -> Page[Item]:
    """A page of what a server finds, without what does not meet the search.

    A token says where in which of the server's pages the next one begins; the server's own tokens know of no search.

    Args:
        fetch: Gives the server's page by its token and size.
        meets: Whether a result is one; None where the server knows better.
        limits: The most results on the page, and the most that the server gives at a time.
        page_token: The token of the page before.
        search: What is asked for; a token is good for one search alone.

    Raises:
        InvalidFilter: The token was not handed out for this search.
    """
    start, skipped = (None, 0) if page_token is None else _read(page_token, search)
    if meets is None and not skipped:
        return _unsifted(fetch, limits, start, search)
    wanted, most = limits
    found: list[Item] = []
    for number, (item, place) in enumerate(_walk(fetch, start, min(max(wanted, _FEWEST), most))):
        if number < skipped or (meets is not None and not meets(item)):
            continue
        if len(found) == wanted:
            return Page(found, _written(place, search))
        found.append(item)
    return Page(found)


def _unsifted(
    fetch: Callable[[str | None, int], Page[Item]],
    limits: tuple[int, int],
    token: str | None,
    search: tuple[str, ...],
) -> Page[Item]:
    wanted, most = limits
    found: list[Item] = []
    while True:
        page = fetch(token, min(wanted - len(found), most))
        found += page
        token = page.token
        if token is None or len(found) >= wanted:
            return Page(found, None if token is None else _written((token, 0), search))


def _walk(
    fetch: Callable[[str | None, int], Page[Item]], token: str | None, size: int
) -> Iterator[tuple[Item, tuple[str | None, int]]]:
    """Each result with its place: the token of the server's page that it is on, and how many are before it there."""
    while True:
        page = fetch(token, size)
        for number, item in enumerate(page):
            yield item, (token, number)
        if page.token is None:
            return
        token = page.token


def _digest(search: tuple[str, ...]) -> str:
    return hashlib.sha256(json.dumps(search).encode()).hexdigest()[:16]


def _written(place: tuple[str | None, int], search: tuple[str, ...]) -> str:
    return base64.urlsafe_b64encode(json.dumps([*place, _digest(search)]).encode()).decode()


def _read(token: str, search: tuple[str, ...]) -> tuple[str | None, int]:
    try:
        start, skipped, of_search = json.loads(base64.b64decode(token, altchars=b"-_", validate=True))
    except (binascii.Error, ValueError, TypeError):
        start = skipped = of_search = None
    whole = (start is None or isinstance(start, str)) and type(skipped) is int
    if of_search != _digest(search) or not whole:
        raise InvalidFilter(
            f"{token[:80]!r} is no page token of this search.",
            hint="Use the token of the page before, with the same filter, order and view.",
        )
    return start, skipped
