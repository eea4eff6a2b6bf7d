"""The fields of a JSON object somebody sent: what is not of its kind is refused by name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from dovetail.documents import shown
from dovetail.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["load_each", "load_list", "load_object", "load_text"]

Loaded = TypeVar("Loaded")


def load_object(data: object, what: str) -> dict[str, Any]:
    """Return the data if it is a JSON object.

    Args:
        data: What was sent.
        what: The word for it in the message.

    Raises:
        InvalidInput: It is none.
    """
    if type(data) is dict:
        return data
    raise InvalidInput(f"The {what} must be a JSON object, not {shown(data)}.")


def load_list(data: object, name: str) -> list[Any]:
    """Return the data if it is a list; what was not sent, or is null, is an empty one.

    Args:
        data: What was sent.
        name: The field's name.

    Raises:
        InvalidInput: It is none.
    """
    if type(data) is list:
        return data
    if data is None:
        return []
    raise InvalidInput(f"The field {name!r} must be a list, not {shown(data)}.")


def load_text(data: dict[str, Any], name: str) -> str:
    """The text in a field; empty where it was not sent, or is null.

    Args:
        data: The object.
        name: The field's name.

    Raises:
        InvalidInput: It is no text.
    """
    text = data.get(name)
    if isinstance(text, str):
        return text
    if text is None:
        return ""
    raise InvalidInput(f"The field {name!r} must be text, not {shown(text)}.")


def load_each(data: object, name: str, load: Callable[[Any], Loaded]) -> tuple[Loaded, ...]:
    """Load every member of a list; whatever is wrong with one is told with its number, as ``metrics[3]: …``.

    Args:
        data: The list that was sent; none is an empty one.
        name: The field's name.
        load: What makes a value of a member.

    Raises:
        InvalidInput: It is no list, or a member is refused.
    """
    loaded: list[Loaded] = []
    try:
        for member in load_list(data, name):
            loaded.append(load(member))  # noqa: PERF401 - how many there are says which one is refused
    except InvalidInput as error:
        raise type(error)(f"{name}[{len(loaded)}]: {error.message}", hint=error.hint) from error
    return tuple(loaded)
