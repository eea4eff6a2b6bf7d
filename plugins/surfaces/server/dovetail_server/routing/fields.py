"""The fields of requests: what they are called, what kind of value they take, and how values are read.

Bodies are JSON as protocol buffers write it: whole numbers may be text, unknown fields are left alone, null means that
nothing is given.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dovetail.documents import shown
from dovetail.errors import InvalidInput
from dovetail.wire.numbers import load_float, load_int

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

__all__ = ["Field", "flag", "integer", "number", "objects", "state", "text", "texts", "thing", "word"]

MOST = 200_000
"""The most members that a list in a request may have."""


@dataclass(frozen=True)
class Field:
    """One field.

    Args:
        name: Its name.
        kind: What it holds, in the words of JSON Schema.
        read: Checks and converts a value; it is told the field's name as well.
        required: Whether a request must give it.
        many: Whether it is a list.
        default: What it is where it is not given.
    """

    name: str
    kind: str
    read: Callable[[Any, str], Any]
    required: bool = False
    many: bool = False
    default: Any = None

    @property
    def is_loose(self) -> bool:
        """Whether it is simply its default where it is not given."""
        return not self.required and not self.many

    def of_body(self, data: Mapping[str, Any]) -> Any:
        """Its value in a body.

        Raises:
            InvalidInput: It is missing or of another kind.
        """
        value = data.get(self.name)
        if value is None or (self.required and value == ""):
            return self._missing()
        if not self.many:
            return self.read(value, self.name)
        if not isinstance(value, list) or len(value) > MOST:
            raise InvalidInput(f"The field {self.name!r} must be a list of at most {MOST} members.")
        return [self.read(each, self.name) for each in value]

    def of_query(self, values: Sequence[str]) -> Any:
        """Its value in a query, where it may stand several times.

        Raises:
            InvalidInput: It is missing or of another kind.
        """
        if not values or (self.required and values[-1] == ""):
            return self._missing()
        if self.many:
            return [self.read(_plain(self.kind, each), self.name) for each in values]
        return self.read(_plain(self.kind, values[-1]), self.name)

    def _missing(self) -> Any:
        if self.required:
            raise InvalidInput(f"Missing value for required parameter '{self.name}'.")
        return [] if self.many else self.default


def text(name: str, *, required: bool = False, default: str | None = None) -> Field:
    """A field of text."""
    return Field(name, "string", _text, required, default=default)


def texts(name: str, *, required: bool = False) -> Field:
    """A list of texts."""
    return Field(name, "string", _text, required, many=True)


def word(name: str, *words: str) -> Field:
    """One of some words; others are as if none was given, as MLflow's clients expect."""

    def read(value: Any, what: str) -> str | None:
        del what
        return value if value in words else None

    return Field(name, "string", read)


def state(name: str, load: Callable[[Any], Any], *, default: Any = None, required: bool = False) -> Field:
    """A state, by its word or its number.

    Args:
        name: The field's name.
        load: Finds the state, and decides what it is where the word or number is unknown.
        default: What it is where none is given.
        required: Whether a request must give one.
    """
    return Field(name, "string", lambda value, _what: load(value), required, default=default)


def integer(name: str, *, required: bool = False, default: int | None = None) -> Field:
    """A whole number."""
    return Field(name, "integer", load_int, required, default=default)


def number(name: str, *, required: bool = False) -> Field:
    """A number, NaN and the infinities as text."""
    return Field(name, "number", load_float, required)


def flag(name: str, *, default: bool | None = None) -> Field:
    """True or false."""
    return Field(name, "boolean", _flag, default=default)


def thing(name: str, *, required: bool = False) -> Field:
    """An object."""
    return Field(name, "object", _object, required)


def objects(name: str, *, required: bool = False) -> Field:
    """A list of objects."""
    return Field(name, "object", _object, required, many=True)


def _text(value: Any, what: str) -> str:
    if not isinstance(value, str):
        raise InvalidInput(f"The field {what!r} must be text, not {shown(value)}.")
    return value


def _flag(value: Any, what: str) -> bool:
    if not isinstance(value, bool):
        raise InvalidInput(f"The field {what!r} must be true or false, not {shown(value)}.")
    return value


def _object(value: Any, what: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise InvalidInput(f"The field {what!r} must be an object, not {shown(value)}.")
    return value


def _plain(kind: str, value: str) -> Any:
    """What a text of a query means for a field of some kind."""
    return {"true": True, "false": False}.get(value.lower(), value) if kind == "boolean" else value
