"""What all values share: they are checked when made, and made unchecked when read back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from dataclasses import Field

    from typing_extensions import Self

__all__ = ["Value"]


class Value:
    """Base of the frozen dataclasses.

    A value built by its constructor checks itself and raises ``InvalidInput``. A store that reads
    back what was checked on the way in uses ``stored`` and pays for no second check.
    """

    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]

    @classmethod
    def stored(cls, **fields: Any) -> Self:
        """Make a value from fields a store vouches for.

        Fields left out take the dataclass default, except mutable ones (dicts), which must be given.
        """
        value = object.__new__(cls)
        object.__setattr__(value, "__dict__", fields)
        return value

    @classmethod
    def holding(cls, fields: dict[str, Any]) -> Self:
        """The same of a dict that nobody else has: it becomes the value's own."""
        value = object.__new__(cls)
        object.__setattr__(value, "__dict__", fields)
        return value

    def __iter__(self) -> Iterator[tuple[str, Any]]:
        """Names and values of the fields, as in MLflow: ``dict(run.info)`` is what people print."""
        return ((name, getattr(self, name)) for name in self.__dataclass_fields__)

    def __repr__(self) -> str:
        """One line, short, without passwords; what is small is written as Python takes it back."""
        from dovetail.values.summary import summary

        return summary(type(self).__name__, self._facts())

    def _facts(self) -> Mapping[str, object]:
        """What people look for; all fields unless a value says otherwise."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}
