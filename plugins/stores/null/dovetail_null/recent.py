"""A mapping that forgets what was not used for longest."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Recent"]

Item = TypeVar("Item")


class Recent(Generic[Item]):
    """The items used last, by key; for one thread at a time.

    Args:
        size: How many there can be.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._items: OrderedDict[str, Item] = OrderedDict()

    def get(self, key: str) -> Item | None:
        """The item, which thereby becomes the one used last, or None."""
        if key in self._items:
            self._items.move_to_end(key)
        return self._items.get(key)

    def put(self, key: str, item: Item) -> None:
        """Keep an item; the one that was not used for longest makes room for it."""
        self._items[key] = item
        self._items.move_to_end(key)
        if len(self._items) > self._size:
            self._items.popitem(last=False)

    def drop(self, key: str) -> None:
        """Forget an item."""
        self._items.pop(key, None)

    def __iter__(self) -> Iterator[Item]:
        """All items, the one that was not used for longest first."""
        return iter(list(self._items.values()))
