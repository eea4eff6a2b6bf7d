"""A page of search results."""

from __future__ import annotations

from typing import Generic, TypeVar

__all__ = ["Page"]

Item = TypeVar("Item")


class Page(list[Item], Generic[Item]):
    """A list of results with the token of the page behind it.

    Attributes:
        token: Opaque text to pass as ``page_token`` for the next page; None on the last one.
    """

    def __init__(self, items: list[Item], token: str | None = None) -> None:
        super().__init__(items)
        self.token = token

    def to_list(self) -> list[Item]:
        """The items as a plain list."""
        return list(self)
