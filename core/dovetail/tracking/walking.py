"""Walking through the pages of a search."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from dovetail.errors import InvalidInput
from dovetail.values import Page

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["every", "walk"]

Item = TypeVar("Item")

_PAGE = 1000


def walk(page: Callable[[int, str | None], Page[Item]], max_results: int | None) -> Page[Item]:
    """The results of a search from all its pages, as one page with nothing behind it: notebooks show it as a table.

    Args:
        page: Gives a page by its size and its token.
        max_results: At most this many; None for all.

    Raises:
        InvalidInput: ``max_results`` is no whole number from 1 on.
    """
    if max_results is not None and (type(max_results) is not int or max_results < 1):
        raise InvalidInput(f"max_results is {max_results!r}; it must be a whole number from 1 on.")
    found: Page[Item] = Page([])
    token: str | None = None
    while max_results is None or len(found) < max_results:
        results = page(_PAGE if max_results is None else min(_PAGE, max_results - len(found)), token)
        found += results
        token = results.token
        if token is None:
            break
    return found


def every(page: Callable[[str | None], Page[Item]]) -> Iterator[Item]:
    """The results of a search from all its pages, one page at a time.

    Args:
        page: Gives a page by its token.
    """
    token: str | None = None
    while True:
        results = page(token)
        yield from results
        if (token := results.token) is None:
            return
