"""Values of Python as JSON and back, directed by the types that an interface declares.

Nothing in the data names a type: what a piece of data becomes is said by the declaration alone. Each type has a codec,
made once, that goes three ways: ``dump`` turns a value into what ``json`` writes, ``load`` makes checked values of
what anybody may have sent, and ``read`` takes the word of a server for what it answers, as ``Value.stored`` does.

Values are objects that leave out fields at their default, pages are objects with ``items`` and ``token``, points and
columns of points are lists (see ``points``). JSON has no NaN and no infinities: their names stand for them.
"""

from __future__ import annotations

import collections.abc
import types
import typing
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import MISSING, Field, fields, is_dataclass
from enum import Enum
from functools import cache
from itertools import chain
from typing import Any

from dovetail import values
from dovetail.documents import shown
from dovetail.errors import DovetailError, InvalidInput, StoreError
from dovetail.registry.store import ANYWHERE, Anywhere
from dovetail.tracking.bin import Discarded
from dovetail.tracking.series import Series
from dovetail.values import Metric, MetricColumns, Page, RunData
from dovetail.wire.failures import dump_failure, load_failure
from dovetail.wire.plain import ANYTHING, FLAG, NOTHING, NUMBER, TEXT, WHOLE, Codec, Misfit
from dovetail.wire.points import COLUMNS, POINT, RUN_DATA, SERIES

__all__ = ["codec_of", "decode", "encode", "hints_of", "read"]

_LIST, _OBJECT = frozenset({list}), frozenset({dict})
# What the names mean that interfaces and values import for type checkers alone.
_NAMES = {
    **{name: getattr(values, name) for name in values.__all__},
    **{name: getattr(collections.abc, name) for name in ("Mapping", "Sequence")},
    **{each.__name__: each for each in (Discarded, DovetailError, Field, Series)},
    "Any": Any,
}


def encode(value: Any, hint: Any) -> Any:
    """The value as data that ``json`` writes.

    What is not of the declared type is left as it is where that is possible, for the other side to refuse.

    Args:
        value: What to send.
        hint: Its declared type.

    Raises:
        InvalidInput: It is not what was declared.
    """
    return codec_of(hint).dump(value)


def decode(data: Any, hint: Any, what: str = "The data", refusal: type[InvalidInput] = InvalidInput) -> Any:
    """The checked value that somebody sent.

    Args:
        data: What ``json`` read.
        hint: The declared type.
        what: What messages call it.
        refusal: What is raised where it is not what was declared.

    Raises:
        InvalidInput: It is not what was declared, or the values themselves refuse it.
    """
    try:
        return codec_of(hint).load(data)
    except Misfit as misfit:
        raise refusal(f"{what}{_place(misfit)} {misfit}.") from None


def read(data: Any, hint: Any, what: str = "The answer") -> Any:
    """The value that a server answered, which vouches for it.

    Args:
        data: What ``json`` read.
        hint: The declared type.
        what: What messages call it.

    Raises:
        StoreError: It is not what was declared.
    """
    try:
        return codec_of(hint).read(data)
    except Misfit as misfit:
        raise StoreError(f"{what}{_place(misfit)} {misfit}.") from None
    except (TypeError, ValueError, AttributeError, DovetailError) as error:
        raise StoreError(f"{what} cannot be read: {error!r:.200}.") from error


def hints_of(owner: Any) -> dict[str, Any]:
    """The declared types of a function's arguments and answer, or of a class's fields."""
    return typing.get_type_hints(owner, localns=_NAMES)


def _place(misfit: Misfit) -> str:
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part[:80]}" for part in misfit.path)


# --- from a type to its codec --------------------------------------------------------------------------------


@cache
def codec_of(hint: Any) -> Codec:
    """The codec of a declared type.

    Raises:
        TypeError: There is none; then an interface declares what cannot be sent.
    """
    if hint in _SPECIAL:
        return _SPECIAL[hint]
    origin, inner = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        return _either(tuple(map(codec_of, inner)))
    if origin in _SEVERAL:
        return _several(codec_of(inner[0]), _SEVERAL[origin])
    if origin in (dict, collections.abc.Mapping):
        return _mapping(codec_of(inner[1]))
    if origin is Page:
        return _page(codec_of(inner[0]))
    return _of_class(hint)


def _of_class(hint: Any) -> Codec:
    if isinstance(hint, type) and issubclass(hint, Enum):
        return _word(hint)
    if isinstance(hint, type) and is_dataclass(hint):
        return _Fields(hint).codec
    raise TypeError(f"{hint!r} has no codec")


# --- words, lists, objects -----------------------------------------------------------------------------------


def _word(kind: type[Enum]) -> Codec:
    """Members of an enumeration, as their values."""

    def load(data: Any) -> Any:
        if type(data) not in kinds:
            raise codec.refuse(data)
        try:
            return kind(data)
        except (ValueError, InvalidInput):
            raise Misfit(f"must be one of {', '.join(map(str, known))}, not {data!r:.80}") from None

    known = [each.value for each in kind]
    kinds = frozenset(map(type, known))
    base = TEXT if str in kinds else WHOLE
    codec = Codec(base.noun, kinds, (kind,), base.dump, load, load)
    return codec


def _several(member: Codec, kind: Callable[[Iterable[Any]], Sequence[Any]]) -> Codec:
    def dump(value: Any) -> Any:
        whole = isinstance(value, (str, bytes, Mapping)) or not isinstance(value, collections.abc.Iterable)
        return value if whole else _each(member.dump, value)

    def load(data: Any) -> Any:
        return kind(_each(member.load, codec_list(data)))

    def read(data: Any) -> Any:
        return kind(_each(member.read, codec_list(data)))

    def codec_list(data: Any) -> list[Any]:
        if type(data) is not list:
            raise codec.refuse(data)
        return data

    codec = Codec("a list", _LIST, (list, tuple), dump, load, read)
    return codec


def _each(way: Callable[[Any], Any], members: Iterable[Any]) -> list[Any]:
    done: list[Any] = []
    try:
        for each in members:
            done.append(way(each))  # noqa: PERF401 - so that the place of one that does not fit is known
    except Misfit as misfit:
        raise misfit.within(len(done)) from None
    return done


def _mapping(member: Codec) -> Codec:
    def dump(value: Any) -> Any:
        if not isinstance(value, Mapping):
            return value
        return {key: member.dump(each) for key, each in value.items()} if member is not TEXT else dict(value)

    def load(data: Any) -> Any:
        return _fields(object_of(data), dict.fromkeys(data, member.load))

    def read(data: Any) -> Any:
        return object_of(data) if member is TEXT else _fields(object_of(data), dict.fromkeys(data, member.read))

    def object_of(data: Any) -> dict[str, Any]:
        if type(data) is not dict:
            raise codec.refuse(data)
        return data

    codec = Codec("an object", _OBJECT, (Mapping,), dump, load, read)
    return codec


def _fields(data: Mapping[str, Any], ways: Mapping[str, Callable[[Any], Any]]) -> dict[str, Any]:
    """Each field by its way; those that have none are left out."""
    done: dict[str, Any] = {}
    name = ""
    try:
        for name, each in data.items():
            if (way := ways.get(name)) is not None:
                done[name] = way(each)
    except Misfit as misfit:
        raise misfit.within(name) from None
    return done


def _page(member: Codec) -> Codec:
    items = _several(member, list)
    token = codec_of(str | None)

    def dump(value: Any) -> Any:
        data = {"items": items.dump(value)}
        return data if value.token is None else {**data, "token": value.token}

    def read(data: Any) -> Any:
        if type(data) is not dict or "items" not in data:
            raise Misfit("must be an object with items")
        held = _fields(data, {"items": items.read, "token": token.read})
        return Page(held["items"], held.get("token"))

    return Codec("an object", _OBJECT, (Page,), dump, read, read)


def _either(choices: tuple[Codec, ...]) -> Codec:
    """One of several types, told apart by what kind of data they are."""
    by_kind = {kind: choice for choice in choices for kind in choice.kinds}
    if len(by_kind) < sum(len(choice.kinds) for choice in choices):
        raise TypeError("types that look alike as JSON cannot stand in one place")
    ways = [(choice.types, choice.dump) for choice in choices]

    def dump(value: Any) -> Any:
        if value is None:
            return None
        return next((way(value) for held, way in ways if isinstance(value, held)), value)

    def load(data: Any) -> Any:
        return chosen(data).load(data)

    def read(data: Any) -> Any:
        return chosen(data).read(data)

    def chosen(data: Any) -> Codec:
        if (choice := by_kind.get(type(data))) is None:
            raise codec.refuse(data)
        return choice

    kinds, held = frozenset(by_kind), tuple(chain.from_iterable(choice.types for choice in choices))
    codec = Codec(" or ".join(choice.noun for choice in choices), kinds, held, dump, load, read)
    return codec


# --- values --------------------------------------------------------------------------------------------------


_EMPTY = (dict, list, tuple)
"""What makes defaults that hold nothing."""


class _Fields:
    """A frozen value, as an object of its fields.

    Args:
        kind: Its class.
    """

    def __init__(self, kind: type[Any]) -> None:
        hints, own = hints_of(kind), fields(kind)
        codecs = {each.name: codec_of(hints[each.name]) for each in own}
        self._kind = kind
        self._loads = {name: each.load for name, each in codecs.items()}
        self._reads = {name: each.read for name, each in codecs.items()}
        self._made = {each.name: each.default_factory for each in own if each.default_factory is not MISSING}
        self._required = {each.name for each in own if each.default is MISSING and each.name not in self._made}
        self._dumps = [
            (each.name, each.default, each.default_factory in _EMPTY, codecs[each.name].dump) for each in own
        ]
        self.codec = Codec("an object", _OBJECT, (kind,), self.dump, self.load, self.read)

    def dump(self, value: Any) -> dict[str, Any]:
        if not isinstance(value, self._kind):
            raise InvalidInput(f"A {self._kind.__name__} is wanted, not {shown(value)}.")
        held, data = value.__dict__, {}
        for name, default, empty, way in self._dumps:
            each = held.get(name, default)
            if each is not default and (each or not empty):
                data[name] = way(each)
        return data

    def load(self, data: Any) -> Any:
        if not self._object(data).keys() <= self._loads.keys():
            raise Misfit(f"has no field {min(data.keys() - self._loads.keys())!r:.80}")
        return self._kind(**_fields(data, self._loads))

    def read(self, data: Any) -> Any:
        # A newer server may say more; that is left out.
        held = _fields(self._object(data), self._reads)
        return self._kind.stored(**{name: make() for name, make in self._made.items() if name not in held}, **held)

    def _object(self, data: Any) -> dict[str, Any]:
        if type(data) is not dict:
            raise self.codec.refuse(data)
        if not self._required <= data.keys():
            raise Misfit(f"lacks the field {min(self._required - data.keys())!r}")
        return data


# --- what is like nothing else -------------------------------------------------------------------------------

_ANYWHERE = {"anywhere": True}


def _load_anywhere(data: Any) -> Anywhere:
    if data != _ANYWHERE:
        raise Misfit(f"must be {_ANYWHERE} where it is an object")
    return ANYWHERE


def _read_failure(data: Any) -> DovetailError:
    if type(data) is not dict:
        raise Misfit("must be an object")
    return load_failure(DovetailError.status, data)


_SPECIAL = {
    str: TEXT,
    int: WHOLE,
    float: NUMBER,
    bool: FLAG,
    type(None): NOTHING,
    Any: ANYTHING,
    Metric: POINT,
    MetricColumns: COLUMNS,
    Series: SERIES,
    RunData: RUN_DATA,
    Anywhere: Codec("an object", _OBJECT, (Anywhere,), lambda _: _ANYWHERE, _load_anywhere, _load_anywhere),
    DovetailError: Codec("an object", _OBJECT, (DovetailError,), dump_failure, _read_failure, _read_failure),
}
_SEVERAL = {list: list, tuple: tuple, collections.abc.Sequence: list}
