"""What types example data has: the schema of a model's inputs or outputs, and of its params."""

from __future__ import annotations

import datetime as dt
import warnings
from functools import reduce
from typing import TYPE_CHECKING, Any

from dovetail.errors import InvalidModel
from dovetail.models.columns import column_type
from dovetail.models.datatypes import AnyType, Array, DataType, Object, Property, datatype_of
from dovetail.models.params import ParamSchema, ParamSpec
from dovetail.models.recognition import is_array, is_frame, is_numpy_scalar, is_series, is_sparse
from dovetail.models.schema import ColSpec, Schema, TensorSpec

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dovetail.models.datatypes import ColumnType

__all__ = ["infer_params", "infer_schema"]


class _Unclear(ValueError):
    """No type describes the values; the message says why."""


_PYTHON_TYPES = (
    (bool, DataType.boolean),  # before int, which bool is a kind of
    (int, DataType.long),
    (float, DataType.double),
    (str, DataType.string),
    ((bytes, bytearray), DataType.binary),
    (dt.date, DataType.datetime),
)


def infer_schema(data: Any) -> Schema:
    """The schema that ``data`` is an example of.

    A column without missing values becomes required, any other optional. The first extent of a tensor may vary. What no
    type describes becomes ``any``, which is not checked, and a warning says why.

    Args:
        data: A pandas DataFrame or Series, a numpy array or a dictionary of arrays, a sparse matrix, a dictionary,
            a list of dictionaries or of values, or a single value.

    Raises:
        InvalidModel: A column has a label that cannot be kept.
    """
    if is_frame(data):
        return Schema(
            [_column(data.iloc[:, place]) for place in range(data.shape[1])] or [_anything("it has no columns")]
        )
    if is_series(data):
        return Schema([_column(data)])
    if is_array(data) or is_sparse(data):
        return _tensor_schema({None: data})
    if _is_row(data) and data:
        return _dict_schema(data)
    if isinstance(data, list) and all(_is_row(row) for row in data) and any(data):
        return _rows_schema(data)
    return Schema([_spec(None, data if isinstance(data, list) else [data])])


def _is_row(value: Any) -> bool:
    return isinstance(value, dict) and all(isinstance(name, str) for name in value)


def infer_params(params: Any) -> ParamSchema:
    """The params that ``params`` gives the defaults of.

    Args:
        params: Names and defaults. A list gives a param that takes lists; an empty one, a param that takes lists of
            strings.

    Raises:
        InvalidModel: No dictionary, or defaults that no param can have; all of them are named.
    """
    if not isinstance(params, dict):
        raise InvalidModel(
            f"The params are a {type(params).__name__}.", hint="Pass a dictionary of names and defaults."
        )
    specs, problems = [], []
    for name, default in params.items():
        try:
            specs.append(_param(str(name), default))
        except (_Unclear, InvalidModel) as error:  # noqa: PERF203 - all are reported
            problems.append(f"{name!r} ({error})")
    if problems:
        raise InvalidModel(
            f"The types of these params cannot be inferred: {'; '.join(problems)}.",
            hint="Use single values, flat lists or dictionaries, or write the ParamSpec yourself.",
        )
    return ParamSchema(specs)


def _column(values: Any) -> ColSpec:
    """The column that a pandas Series is an example of."""
    name = values.name.item() if is_numpy_scalar(values.name) else values.name
    required = not values.isna().any()
    kind: ColumnType | None = column_type(values)
    if kind is None and values.dtype.kind == "O":
        return _spec(name, values.dropna(), required=required)
    if kind is None:
        _warn(name, f"its values are {values.dtype}")
    return ColSpec(kind or AnyType(), name, required or name is None)


def _spec(name: Any, values: Iterable[Any], *, required: bool = True) -> ColSpec:
    """The column that holds all the values; ``any`` with a warning if they have no type in common."""
    try:
        kind = _common_type(values)
    except _Unclear as unclear:
        _warn(name, str(unclear))
        kind = AnyType()
    return ColSpec(kind, name, required or name is None)


def _anything(reason: str) -> ColSpec:
    _warn(None, reason)
    return ColSpec(AnyType())


def _warn(name: Any, reason: str) -> None:
    where = "the data" if name is None else repr(name)
    warnings.warn(
        f"The type of {where} cannot be inferred: {reason}. The signature says `any`, which is not checked.",
        stacklevel=4,
    )


def _tensor_schema(arrays: dict[Any, Any]) -> Schema:
    try:
        return Schema([TensorSpec(each.dtype, (-1, *each.shape[1:]), name) for name, each in arrays.items()])
    except InvalidModel as error:
        return Schema([_anything(error.message)])


def _dict_schema(data: dict[str, Any]) -> Schema:
    if all(is_array(value) for value in data.values()):
        return _tensor_schema(data)
    return Schema([_spec(name, [value], required=value is not None) for name, value in data.items()])


def _rows_schema(rows: list[dict[str, Any]]) -> Schema:
    """One column for each key of any row, in the order in which they first appear."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    columns = {name: [row.get(name) for row in rows] for name in names}
    return Schema([_spec(name, cells, required=all(c is not None for c in cells)) for name, cells in columns.items()])


def _common_type(values: Iterable[Any]) -> ColumnType:
    nothing: ColumnType = AnyType()
    return reduce(_merged, map(_value_type, values), nothing)


def _value_type(value: Any) -> ColumnType:
    if value is None:
        return AnyType()
    if is_array(value):
        return _array_type(value)
    if isinstance(value, list):
        return Array(_common_type(value)) if value else AnyType()
    if isinstance(value, dict):
        return _object_type(value) if value else AnyType()
    return _scalar_type(value)


def _scalar_type(value: Any) -> DataType:
    kind = datatype_of(value.dtype) if is_numpy_scalar(value) else None
    kind = kind or next((kind for python, kind in _PYTHON_TYPES if isinstance(value, python)), None)
    if kind is None:
        raise _Unclear(f"no type describes a {type(value).__name__}")
    return kind


def _array_type(value: Any) -> Array:
    kind: ColumnType | None = (
        _common_type(value.ravel().tolist()) if value.dtype.kind == "O" else datatype_of(value.dtype)
    )
    if kind is None:
        raise _Unclear(f"no type describes an array of {value.dtype}")
    for _ in range(value.ndim):
        kind = Array(kind)
    return kind  # type: ignore[return-value] # at least one dimension


def _object_type(value: dict[Any, Any]) -> Object:
    strange = [repr(key) for key in value if not isinstance(key, str)]
    if strange:
        raise _Unclear(f"a dictionary has keys that are no strings: {', '.join(strange)}")
    return Object(Property(key, _value_type(item), required=item is not None) for key, item in value.items())


def _merged(one: ColumnType, other: ColumnType) -> ColumnType:
    """The type of values of both types; ``any`` says nothing yet."""
    if one == other or isinstance(other, AnyType):
        return one
    if isinstance(one, AnyType):
        return other
    if isinstance(one, Array) and isinstance(other, Array):
        return Array(_merged(one.dtype, other.dtype))
    if isinstance(one, Object) and isinstance(other, Object):
        return _merged_objects(one, other)
    raise _Unclear(f"some values are {one}, others {other}")


def _merged_objects(one: Object, other: Object) -> Object:
    ours = {each.name: each for each in one.properties}
    theirs = {each.name: each for each in other.properties}
    return Object(_merged_property(ours.get(name), theirs.get(name)) for name in {**ours, **theirs})


def _merged_property(one: Property | None, other: Property | None) -> Property:
    if one and other:
        return Property(one.name, _merged(one.dtype, other.dtype), required=one.required and other.required)
    present: Any = one or other
    return Property(present.name, present.dtype, required=False)


def _param(name: str, default: Any) -> ParamSpec:
    if isinstance(default, (list, tuple)) or is_array(default):
        return ParamSpec(name, _item_type(default), default, shape=(-1,))
    if default is None:
        raise _Unclear("None has no type")
    kind: Any = _value_type(default)
    return ParamSpec(name, kind, default)


def _item_type(items: Any) -> Any:
    if any(item is None or isinstance(item, (list, tuple)) or is_array(item) for item in items):
        raise _Unclear("a list must be flat and without None")
    kinds = {_value_type(item) for item in items}
    if kinds == {DataType.long, DataType.double}:
        return DataType.double
    return _common_type(items) if kinds else DataType.string
