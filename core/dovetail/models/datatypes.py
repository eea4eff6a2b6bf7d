"""The types that a signature gives to columns and params.

Written and read as the JSON records that stand in ``MLmodel`` files. Like every module that checks model input,
this one runs on Python 3.8 with the standard library alone: old models name old Pythons.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any, cast

from dovetail.errors import InvalidModel

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import TypeAlias

    ColumnType: TypeAlias = "DataType | Array | Object | Map | AnyType | SparkMLVector"
    Record: TypeAlias = dict[str, Any]

__all__ = [
    "AnyType",
    "Array",
    "DataType",
    "Map",
    "Object",
    "Property",
    "SparkMLVector",
    "as_type",
    "datatype_of",
    "read_records",
    "type_from_dict",
]


class DataType(Enum):
    """The type of a single value."""

    boolean = 1
    integer = 2  # 32 bits
    long = 3  # 64 bits
    float = 4  # 32 bits
    double = 5  # 64 bits
    string = 6
    binary = 7
    datetime = 8

    def __str__(self) -> str:
        return self.name

    @property
    def numpy_name(self) -> str:
        """The numpy type that columns of this type are brought to: ``int32``, ``datetime64[ns]`` and so on."""
        return _NUMPY_NAMES[self.name]

    def to_numpy(self) -> Any:
        """The numpy dtype of this type; needs numpy."""
        import numpy as np

        return np.dtype(self.numpy_name)

    def to_dict(self) -> Record:
        """The record that stands in an ``MLmodel`` file."""
        return {"type": self.name}


_NUMPY_NAMES = {
    "boolean": "bool",
    "integer": "int32",
    "long": "int64",
    "float": "float32",
    "double": "float64",
    "string": "str",
    "binary": "bytes",
    "datetime": "datetime64[ns]",
}


@dataclass(frozen=True)
class AnyType:
    """A value that is not checked."""

    def __str__(self) -> str:
        return "any"

    def to_dict(self) -> Record:
        """The record that stands in an ``MLmodel`` file."""
        return {"type": "any"}


@dataclass(frozen=True)
class SparkMLVector:
    """A Spark ML vector; read and written, but not checked."""

    def __str__(self) -> str:
        return "sparkml_vector"

    def to_dict(self) -> Record:
        """The record that stands in an ``MLmodel`` file."""
        return {"type": "sparkml_vector"}


@dataclass(frozen=True, init=False)
class Array:
    """A list of values of one type.

    Args:
        dtype: The type of the items, or its name.

    Raises:
        InvalidModel: No such type.
    """

    dtype: ColumnType

    def __init__(self, dtype: ColumnType | str) -> None:
        object.__setattr__(self, "dtype", as_type(dtype))

    def __str__(self) -> str:
        return f"Array({self.dtype})"

    def to_dict(self) -> Record:
        """The record that stands in an ``MLmodel`` file."""
        return {"type": "array", "items": self.dtype.to_dict()}


@dataclass(frozen=True, init=False)
class Map:
    """A mapping from strings to values of one type.

    Args:
        value_type: The type of the values, or its name.

    Raises:
        InvalidModel: No such type.
    """

    value_type: ColumnType

    def __init__(self, value_type: ColumnType | str) -> None:
        object.__setattr__(self, "value_type", as_type(value_type))

    def __str__(self) -> str:
        return f"Map(str -> {self.value_type})"

    def to_dict(self) -> Record:
        """The record that stands in an ``MLmodel`` file."""
        return {"type": "map", "values": self.value_type.to_dict()}


@dataclass(frozen=True, init=False)
class Property:
    """One named value of an object.

    Args:
        name: The key of the value.
        dtype: Its type, or the type's name.
        required: Whether the key must be there and its value not None.

    Raises:
        InvalidModel: The name is no string, or there is no such type.
    """

    name: str
    dtype: ColumnType
    required: bool

    def __init__(self, name: str, dtype: ColumnType | str, required: bool = True) -> None:
        if not isinstance(name, str):
            raise InvalidModel(f"A property is named {name!r}, which is no string.")
        object.__setattr__(self, "name", name)
        object.__setattr__(self, "dtype", as_type(dtype))
        object.__setattr__(self, "required", bool(required))

    def to_dict(self) -> Record:
        """The record that stands in an ``MLmodel`` file, below its name."""
        return {self.name: {**self.dtype.to_dict(), "required": self.required}}


@dataclass(frozen=True, init=False)
class Object:
    """A dictionary with known keys.

    Args:
        properties: The keys with their types; kept in the order of their names.

    Raises:
        InvalidModel: No properties, or two of one name.
    """

    properties: tuple[Property, ...]

    def __init__(self, properties: Iterable[Property]) -> None:
        ordered = tuple(sorted(properties, key=lambda each: each.name))
        names = [each.name for each in ordered]
        if not names:
            raise InvalidModel("An Object has no properties.", hint="Use AnyType() for dictionaries of any shape.")
        if len(set(names)) < len(names):
            raise InvalidModel(f"An Object has two properties of one name among {', '.join(names)}.")
        object.__setattr__(self, "properties", ordered)

    def __str__(self) -> str:
        listed = (f"{p.name}: {p.dtype} ({'required' if p.required else 'optional'})" for p in self.properties)
        return "{" + ", ".join(listed) + "}"

    def to_dict(self) -> Record:
        """The record that stands in an ``MLmodel`` file."""
        listed: Record = {}
        for each in self.properties:
            listed.update(each.to_dict())
        return {"type": "object", "properties": listed}


_CLASSES = (DataType, Array, Object, Map, AnyType, SparkMLVector)
_BY_NAME: dict[str, Any] = {**DataType.__members__, "any": AnyType(), "sparkml_vector": SparkMLVector()}


def as_type(value: Any) -> ColumnType:
    """The type that ``value`` is or names.

    Args:
        value: A type, or the name of one that needs no further description: ``long``, ``any``…

    Raises:
        InvalidModel: No such type.
    """
    if isinstance(value, _CLASSES):
        return value
    if isinstance(value, str) and value in _BY_NAME:
        return cast("ColumnType", _BY_NAME[value])
    raise InvalidModel(
        f"{value!r} is no type of a signature.",
        hint=f"Use one of {', '.join(_BY_NAME)}, or an Array, Object or Map of them.",
    )


def type_from_dict(record: Any) -> ColumnType:
    """The type that a record of an ``MLmodel`` file describes.

    Raises:
        InvalidModel: The record describes no type.
    """
    if not isinstance(record, dict):
        raise InvalidModel(f"{record!r} does not describe a type: it is no dictionary.")
    kind = record.get("type")
    if kind == "array":
        return Array(type_from_dict(record.get("items")))
    if kind == "map":
        return Map(type_from_dict(record.get("values")))
    if kind == "object":
        return _object_from_dict(record.get("properties"))
    return as_type(kind)


def _object_from_dict(properties: Any) -> Object:
    if not isinstance(properties, dict):
        raise InvalidModel(f"The properties of an object are {properties!r}, which is no dictionary.")
    return Object(
        Property(name, type_from_dict(record), required=record.get("required", True))
        for name, record in properties.items()
    )


def datatype_of(dtype: Any) -> DataType | None:
    """The type that holds every value of a numpy or pandas dtype exactly; None if there is none."""
    kind = getattr(dtype, "kind", "")
    if kind in ("i", "u"):
        # An unsigned integer needs one bit more than its own width in a signed type.
        return _narrowest(_INTEGERS, dtype.itemsize * 8 + (kind == "u"))
    if kind == "f":
        return _narrowest(_REALS, dtype.itemsize * 8)
    return {"b": DataType.boolean, "U": DataType.string, "S": DataType.binary, "M": DataType.datetime}.get(kind)


_INTEGERS = ((32, DataType.integer), (64, DataType.long))
_REALS = ((32, DataType.float), (64, DataType.double))


def _narrowest(kinds: tuple[tuple[int, DataType], ...], bits: int) -> DataType | None:
    return next((kind for width, kind in kinds if bits <= width), None)


def read_records(text: Any, what: str) -> list[Record]:
    """The records of a JSON list, as the parts of a signature are kept.

    Args:
        text: The JSON text.
        what: What it describes, for the message.

    Raises:
        InvalidModel: The text is not a JSON list of dictionaries.
    """
    try:
        records = json.loads(text)
    except (TypeError, ValueError) as error:
        raise InvalidModel(f"The {what} cannot be read as JSON: {error}.") from error
    if isinstance(records, list) and all(isinstance(record, dict) for record in records):
        return records
    raise InvalidModel(f"The {what} is no JSON list of dictionaries: {text!r}.")
