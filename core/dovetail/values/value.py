"""What all values share: they are checked when made, and made unchecked when read back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = ["Value"]


class Value:
    """Base of the frozen dataclasses.

    A value built by its constructor checks itself and raises ``InvalidInput``. A store that reads
    back what was checked on the way in uses ``stored`` and pays for no second check.
    """

    @classmethod
    def stored(cls, **fields: Any) -> Self:
        """Make a value from fields a store vouches for.

        Fields left out take the dataclass default, except mutable ones (dicts), which must be given.
        """
        value = object.__new__(cls)
        value.__dict__.update(fields)
        return value
