"""Codecs of what JSON knows by itself: texts, numbers, truth values and nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import inf, nan
from typing import Any

from dovetail.values.names import MAX_INT
from dovetail.wire.numbers import dump_float

__all__ = [
    "ANYTHING",
    "FLAG",
    "NOTHING",
    "NUMBER",
    "TEXT",
    "WHOLE",
    "Codec",
    "Misfit",
    "dump_number",
    "number",
    "whole",
]


class Misfit(Exception):
    """Data that is not what was declared.

    Args:
        problem: What is wrong, behind the name of the place: ``must be text, not a list``.

    Attributes:
        path: Where, from the outside in: names of fields and numbers of members.
    """

    def __init__(self, problem: str) -> None:
        super().__init__(problem)
        self.path: list[str | int] = []

    def within(self, part: str | int) -> Misfit:
        """The same, seen from one step further out."""
        self.path.insert(0, part)
        return self


@dataclass(frozen=True)
class Codec:
    """The ways between values of one type and data that ``json`` writes and reads.

    Args:
        noun: What the data is, for messages.
        kinds: The types that the data may be of, as ``json`` reads it.
        types: The types of values that it turns into data, where several types may stand in one place.
        dump: From a value to data.
        load: From data that anybody may have sent to a checked value; raises ``Misfit`` or ``InvalidInput``.
        read: From what a server answers to a value that is not checked again; raises ``Misfit``.
    """

    noun: str
    kinds: frozenset[type]
    types: tuple[type, ...]
    dump: Callable[[Any], Any]
    load: Callable[[Any], Any]
    read: Callable[[Any], Any]

    def refuse(self, data: object) -> Misfit:
        """What is wrong with data of another kind."""
        return Misfit(f"must be {self.noun}, not {_noun_of(data)}")


def _noun_of(data: object) -> str:
    nouns = {str: "text", bool: "true or false", int: "a number", float: "a number", list: "a list", dict: "an object"}
    return "null" if data is None else nouns.get(type(data), type(data).__name__)


def _same(value: Any) -> Any:
    return value


def _plain(noun: str, kind: type) -> Codec:
    """The codec of what is the same on both sides; what is not of its kind is left for the other side to refuse."""

    def load(data: Any) -> Any:
        if type(data) is not kind:
            raise codec.refuse(data)
        return data

    codec = Codec(noun, frozenset({kind}), (kind,), _same, load, load)
    return codec


TEXT = _plain("text", str)
FLAG = _plain("true or false", bool)
NOTHING = _plain("null", type(None))

# --- numbers -------------------------------------------------------------------------------------------------

_WORDS = {"NaN": nan, "Infinity": inf, "-Infinity": -inf}


def whole(data: Any) -> int:
    """A whole number of 64 bits. Raises ``Misfit`` for anything else."""
    if type(data) is not int:
        raise WHOLE.refuse(data)
    if not -MAX_INT - 1 <= data <= MAX_INT:
        raise Misfit("must be a whole number of at most 64 bits")
    return data


def number(data: Any) -> float:
    """A number, or one of the words for those that JSON has none for. Raises ``Misfit`` for anything else."""
    if type(data) is float:
        return data
    if type(data) is int and abs(data) <= MAX_INT:
        return float(data)
    if type(data) is str and data in _WORDS:
        return _WORDS[data]
    raise NUMBER.refuse(data)


def dump_number(value: Any) -> Any:
    """The number, or the word for it; what is none is left for the other side to refuse."""
    return dump_float(value) if isinstance(value, float) else value


WHOLE = Codec("a whole number", frozenset({int}), (int,), _same, whole, whole)
NUMBER = Codec(
    "a number, 'NaN', 'Infinity' or '-Infinity'", frozenset({float, int, str}), (float,), dump_number, number, number
)

# --- what is declared as Any ---------------------------------------------------------------------------------


def _dump_anything(value: Any) -> Any:
    if isinstance(value, float):
        word = dump_number(value)
        return {"number": word} if type(word) is str else value
    if isinstance(value, Mapping):
        return {key: _dump_anything(each) for key, each in value.items()}
    return [_dump_anything(each) for each in value] if isinstance(value, (list, tuple)) else value


def _anything(data: Any) -> Any:
    if type(data) is list:
        return [_anything(each) for each in data]
    if type(data) is not dict:
        return data
    if len(data) == 1 and type(word := data.get("number")) is str and word in _WORDS:
        return _WORDS[word]
    return {key: _anything(each) for key, each in data.items()}


ANYTHING = Codec(
    "anything",
    frozenset({str, int, float, bool, type(None), list, dict}),
    (object,),
    _dump_anything,
    _anything,
    _anything,
)
