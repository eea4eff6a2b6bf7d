"""What goes into a model or comes out of it: columns with types, or tensors with dtypes and shapes."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dovetail.errors import InvalidModel
from dovetail.models.datatypes import (
    AnyType,
    Array,
    DataType,
    Map,
    Object,
    Property,
    SparkMLVector,
    as_type,
    read_records,
    type_from_dict,
)
from dovetail.models.params import ParamSchema, ParamSpec

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import TypeAlias

    from dovetail.models.datatypes import ColumnType, Record

    #: What pandas uses to label columns, as far as JSON can keep it.
    Name: TypeAlias = "str | int | tuple[Any, ...]"

__all__ = [
    "AnyType",
    "Array",
    "ColSpec",
    "DataType",
    "Map",
    "Object",
    "ParamSchema",
    "ParamSpec",
    "Property",
    "Schema",
    "SparkMLVector",
    "TensorSpec",
    "dtype_name",
]


@dataclass(frozen=True, init=False)
class ColSpec:
    """One column of a table, or one unnamed value.

    Args:
        type: The type of its values, or the type's name.
        name: The column's label; None where columns go by position.
        required: Whether the column must be there.

    Raises:
        InvalidModel: No such type, or a label that cannot be kept.
    """

    type: ColumnType
    name: Name | None
    required: bool

    def __init__(self, type: ColumnType | str, name: Name | None = None, required: bool = True) -> None:  # noqa: A002
        object.__setattr__(self, "type", as_type(type))
        object.__setattr__(self, "name", _label(name))
        object.__setattr__(self, "required", bool(required))

    def __str__(self) -> str:
        label = "" if self.name is None else f"{self.name!r}: "
        return f"{label}{self.type} ({'required' if self.required else 'optional'})"

    def to_dict(self) -> Record:
        """The record that stands in an ``MLmodel`` file."""
        label = {} if self.name is None else {"name": self.name}
        return {**self.type.to_dict(), **label, "required": self.required}

    @classmethod
    def from_dict(cls, record: Mapping[str, Any]) -> ColSpec:
        """The column that a record of an ``MLmodel`` file describes.

        Raises:
            InvalidModel: The record describes no column.
        """
        return cls(type_from_dict(record), record.get("name"), record.get("required", True))


@dataclass(frozen=True, init=False)
class TensorSpec:
    """One tensor.

    Args:
        type: Its dtype: a numpy dtype, or the name of one.
        shape: Its extent along each axis; -1 where any extent is right, as along the axis of examples.
        name: The key it goes by; None for a model that takes a single tensor.

    Raises:
        InvalidModel: A dtype without a fixed size, or an impossible shape.
    """

    dtype: str
    shape: tuple[int, ...]
    name: Name | None

    def __init__(self, type: Any, shape: Iterable[int], name: Name | None = None) -> None:  # noqa: A002
        object.__setattr__(self, "dtype", dtype_name(type))
        object.__setattr__(self, "shape", _extents(shape))
        object.__setattr__(self, "name", _label(name))

    @property
    def type(self) -> Any:
        """The numpy dtype; needs numpy."""
        import numpy as np

        return np.dtype(self.dtype)

    @property
    def required(self) -> bool:
        """Tensors are always required."""
        return True

    def __str__(self) -> str:
        label = "" if self.name is None else f"{self.name!r}: "
        return f"{label}Tensor({self.dtype!r}, {self.shape})"

    def to_dict(self) -> Record:
        """The record that stands in an ``MLmodel`` file."""
        label = {} if self.name is None else {"name": self.name}
        return {**label, "type": "tensor", "tensor-spec": {"dtype": self.dtype, "shape": list(self.shape)}}

    @classmethod
    def from_dict(cls, record: Mapping[str, Any]) -> TensorSpec:
        """The tensor that a record of an ``MLmodel`` file describes.

        Raises:
            InvalidModel: The record describes no tensor.
        """
        described = record.get("tensor-spec")
        if not isinstance(described, dict) or not {"dtype", "shape"} <= set(described):
            raise InvalidModel(f"A tensor of the signature lacks dtype or shape: {dict(record)!r}.")
        return cls(described["dtype"], described["shape"], record.get("name"))


@dataclass(frozen=True, init=False)
class Schema:
    """All inputs or all outputs of a model, in order.

    Args:
        inputs: The columns or the tensors; not both. Either all have names or none has.

    Raises:
        InvalidModel: Nothing given, kinds or names mixed, unnamed optional columns, several unnamed tensors.
    """

    inputs: list[ColSpec | TensorSpec]

    def __init__(self, inputs: Iterable[ColSpec | TensorSpec]) -> None:
        object.__setattr__(self, "inputs", list(inputs))
        self._check_kinds()
        self._check_names()

    def _check_kinds(self) -> None:
        if not self.inputs:
            raise InvalidModel("A schema has no inputs.", hint="Leave the schema out instead.")
        kinds = {type(each) for each in self.inputs}
        if kinds not in ({ColSpec}, {TensorSpec}):
            raise InvalidModel("A schema must hold only ColSpec or only TensorSpec.")

    def _check_names(self) -> None:
        names = [each.name for each in self.inputs]
        if None not in names:
            return
        if set(names) != {None}:
            raise InvalidModel(f"A schema has names for some inputs only: {names}.")
        if self.is_tensor_spec() and len(self.inputs) > 1:
            raise InvalidModel("A schema has several tensors without names.", hint="Name each TensorSpec.")
        if not all(each.required for each in self.inputs):
            raise InvalidModel("A schema has optional columns without names.", hint="Name them or make them required.")

    def __len__(self) -> int:
        return len(self.inputs)

    def __str__(self) -> str:
        return f"[{', '.join(str(each) for each in self.inputs)}]"

    def is_tensor_spec(self) -> bool:
        """Whether these are tensors rather than columns."""
        return isinstance(self.inputs[0], TensorSpec)

    def has_input_names(self) -> bool:
        """Whether the inputs go by name rather than by position."""
        return self.inputs[0].name is not None

    def input_names(self) -> list[Name]:
        """The names; for unnamed inputs their positions, from 0."""
        return [place if each.name is None else each.name for place, each in enumerate(self.inputs)]

    def required_input_names(self) -> list[Name]:
        """The names of the inputs that must be there."""
        return [each.name for each in self.inputs if each.name is not None and each.required]

    def optional_input_names(self) -> list[Name]:
        """The names of the inputs that may be left out."""
        return [each.name for each in self.inputs if each.name is not None and not each.required]

    def input_types(self) -> list[Any]:
        """The types in order: column types, or numpy dtypes of tensors."""
        return [each.type for each in self.inputs]

    def input_dict(self) -> dict[Name, ColSpec | TensorSpec]:
        """The inputs by name.

        Raises:
            InvalidModel: The inputs have no names.
        """
        if not self.has_input_names():
            raise InvalidModel("The inputs of this schema have no names.", hint="Use `inputs`, which are in order.")
        return {each.name: each for each in self.inputs if each.name is not None}

    def to_dict(self) -> list[Record]:
        """The records that stand in an ``MLmodel`` file."""
        return [each.to_dict() for each in self.inputs]

    def to_json(self) -> str:
        """The text that stands in an ``MLmodel`` file."""
        return json.dumps(self.to_dict())

    @classmethod
    def from_json(cls, text: str) -> Schema:
        """The schema that a text of an ``MLmodel`` file describes.

        Raises:
            InvalidModel: It describes none.
        """
        return cls(_spec(record) for record in read_records(text, "schema of the signature"))


def _spec(record: Record) -> ColSpec | TensorSpec:
    return TensorSpec.from_dict(record) if record.get("type") == "tensor" else ColSpec.from_dict(record)


def _label(name: Any) -> Name | None:
    # JSON keeps the tuple that labels a column of several levels as a list.
    label = tuple(name) if isinstance(name, list) else name
    if label is None or isinstance(label, (str, int, tuple)):
        return label
    raise InvalidModel(f"{name!r} ({type(name).__name__}) cannot name an input.", hint="Rename it to a string.")


def _extents(shape: Iterable[int]) -> tuple[int, ...]:
    extents = tuple(shape)
    if all(hasattr(extent, "__index__") and extent >= -1 for extent in extents):
        return tuple(int(extent) for extent in extents)
    raise InvalidModel(
        f"{extents} is no shape of a tensor.", hint="Use whole numbers, and -1 where any extent is right."
    )


_SIZED = r"bool|u?int(8|16|32|64)|float(16|32|64|96|128)|complex(64|128|192|256)|(datetime64|timedelta64)(\[\w+\])?"
_DTYPE = re.compile(rf"{_SIZED}|str|bytes|object")
_ALIASES = {"float": "float64", "int": "int64", "str_": "str", "bytes_": "bytes", "bool_": "bool", "object_": "object"}


def dtype_name(dtype: Any) -> str:
    """The name a signature has for a numpy dtype, a numpy scalar type, or the name of one.

    Texts and bytes of any length are ``str`` and ``bytes``: a tensor's dtype says nothing about their length.

    Raises:
        InvalidModel: A structured dtype, or no dtype at all.
    """
    name = {"U": "str", "S": "bytes"}.get(getattr(dtype, "kind", ""))
    if name is None:
        name = dtype if isinstance(dtype, str) else getattr(dtype, "name", getattr(dtype, "__name__", repr(dtype)))
    name = _ALIASES.get(name, name)
    if _DTYPE.fullmatch(name):
        return name
    raise InvalidModel(f"{dtype!r} is no dtype of a tensor in a signature.", hint="Use the name of a numpy dtype.")
