"""Texts that no store can hold: with a NUL, or with a surrogate that has no other half.

Values are checked when they are made. What arrives as bare text, such as an id to look for, is checked here: nothing
is found by such a text, and nothing is stored under it, whatever an engine or its driver would make of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dovetail.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dovetail_sql.database import Statement

__all__ = ["Unstorable", "deletes", "is_storable", "require_storable", "storable"]


class Unstorable(InvalidInput):
    """A statement was to be executed with such a text."""


def require_storable(params: Mapping[str, Any]) -> None:
    """Look at the parameters of a statement.

    Raises:
        Unstorable: One of them is such a text.
    """
    for name, value in params.items():
        if not is_storable(value):
            what = name.removeprefix("new_").replace("_", " ")
            raise Unstorable(f"The {what} {value!r:.60} holds a character that cannot be stored (NUL or a surrogate).")


def deletes(statement: Statement) -> bool:
    """Whether a statement deletes what has a certain name; by such a text it finds nothing."""
    return isinstance(statement, str) and statement.startswith("delete_")


def storable(values: Sequence[Any]) -> list[Any]:
    """Those of some values, all texts or all numbers, that a store can hold."""
    if values and isinstance(values[0], str):
        return [value for value in values if is_storable(value)]
    return list(values)


def is_storable(value: object) -> bool:
    """Whether it is not such a text."""
    if type(value) is not str:
        return True
    if "\x00" in value:
        return False
    return value.isascii() or _is_encodable(value)


def _is_encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
