"""Model input from a request body or file, in the types that a signature asks for.

JSON and CSV have one type for all numbers and none for moments and bytes: ``1`` may be a double, a text a moment. Data
that does not become what the signature says stays as it is; holding it against the signature says what is wrong.

Runs inside models' own environments too: Python 3.8, the standard library, and pandas or numpy where they are there.
"""

from __future__ import annotations

import base64
import binascii
import math
from typing import TYPE_CHECKING, Any

from dovetail.errors import InvalidModel
from dovetail.models.columns import column_type, load_pandas
from dovetail.models.datatypes import DataType
from dovetail.models.recognition import is_frame

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["as_signature"]

# Up to here a double holds every whole number.
_EXACT = 2**53


def as_signature(data: Any, schema: Any) -> Any:
    """The data with the types of the signature, as far as they were lost on the way.

    Args:
        data: What ``read_payload`` gave.
        schema: The inputs of the model's signature.

    Returns:
        A DataFrame where the signature has columns; arrays where it has tensors.

    Raises:
        InvalidModel: Lists or tables are no array of the tensor's type without a change of values, or pandas is needed
            and missing.
    """
    return _as_tensors(data, schema) if schema.is_tensor_spec() else _as_columns(data, schema)


# --- tensors ------------------------------------------------------------------------------------------------------


def _as_tensors(data: Any, schema: Any) -> Any:
    specs = schema.inputs
    columns = _columns(data)
    if columns is not None and schema.has_input_names():
        return {**columns, **{spec.name: _examples(columns[spec.name], spec) for spec in _found(specs, columns)}}
    if columns is not None:
        return _side_by_side(columns, specs[0])
    if schema.has_input_names() and isinstance(data, dict):
        return {**data, **{spec.name: _array(data[spec.name], spec) for spec in _found(specs, data)}}
    plain = isinstance(data, (list, bool, int, float, str)) and not schema.has_input_names()
    return _array(data, specs[0]) if plain else data


def _found(specs: list[Any], data: dict[Any, Any]) -> list[Any]:
    return [spec for spec in specs if spec.name in data]


def _columns(data: Any) -> dict[Any, Any] | None:
    """The cells of a table by column, in order; None for what is no table."""
    if is_frame(data):
        if not data.columns.is_unique:
            raise InvalidModel("The input has more than one column of a name.")
        return {name: _cells(data[name]) for name in data.columns}
    if not (isinstance(data, list) and data and all(isinstance(row, dict) for row in data)):
        return None
    if any(row.keys() != data[0].keys() for row in data):
        raise InvalidModel("The rows of the input have different columns.")
    return {name: [row[name] for row in data] for name in data[0]}


def _cells(values: Any) -> Any:
    return values.to_numpy() if values.dtype.kind in "biufcmM" else values.tolist()


def _side_by_side(columns: dict[Any, Any], spec: Any) -> Any:
    """The columns as one array with a row for each example."""
    if len(columns) == 1 and -1 not in spec.shape[1:]:
        return _examples(next(iter(columns.values())), spec)
    import numpy as np

    arrays = [_array(cells, spec, f"column {name!r} of the input") for name, cells in columns.items()]
    try:
        return np.stack(arrays, axis=1)
    except ValueError as error:
        raise InvalidModel(f"The columns of the input do not make one array: {error}.") from error


def _examples(cells: Any, spec: Any) -> Any:
    """The cells of one column in the shape of the tensor: numbers, flat lists or whole examples."""
    array = _array(cells, spec)
    extents = spec.shape[1:]
    if -1 in extents or array.size != len(cells) * math.prod(extents):
        return array  # holding it against the signature says what is wrong
    return array.reshape(len(cells), *extents) if spec.shape[:1] == (-1,) else array


def _array(values: Any, spec: Any, where: str = "input") -> Any:
    import numpy as np

    try:
        with np.errstate(all="ignore"):  # what does not fit is found by comparing
            # A common type would make texts of all values if one is a text.
            found = np.array(values, dtype=object if spec.type.kind == "U" else None)
            result = np.array(values, dtype=spec.type) if spec.type.kind in "mMSO" else found.astype(spec.type)
            same = _is_same(found, result)
    except (ValueError, TypeError, OverflowError) as error:
        raise InvalidModel(f"The {where} is no array of {spec.dtype}: {error}.") from error
    if not same:
        kind = "text" if found.dtype.kind == "U" else found.dtype
        raise InvalidModel(f"The {where} holds {kind}, and the signature asks for {spec.dtype}, which would change it.")
    return result


def _is_same(found: Any, result: Any) -> bool:
    """Whether the values survived.

    Among floats rounding is no change, since JSON knows only one kind; nothing is a missing float.
    """
    kind = result.dtype.kind
    if kind in "mMSO":
        return True
    if kind == "U" or found.dtype.kind == "U":
        return kind == "U" and all(isinstance(each, str) for each in found.flat)
    if kind in "biu":
        return bool((result == found).all())
    if found.dtype.kind in "iu":
        return bool((result.real.astype(found.dtype) == found).all())
    return found.dtype.kind != "O" or not any(isinstance(each, str) for each in found.flat)


# --- columns ------------------------------------------------------------------------------------------------------


def _as_columns(data: Any, schema: Any) -> Any:
    specs = schema.inputs
    # Lists and mappings within cells are looked through, cell by cell, when they are held against the signature.
    if not all(isinstance(spec.type, DataType) for spec in specs):
        return data
    frame = _framed(data)
    if not is_frame(frame):
        return data
    frame = frame.copy(deep=False)
    for place, spec in enumerate(specs):
        name = spec.name if spec.name is not None else frame.columns[place] if place < len(frame.columns) else None
        if name in frame.columns and frame.columns.is_unique:
            frame[name] = _cast(frame[name], spec.type)
    return frame


def _framed(data: Any) -> Any:
    if is_frame(data) or not isinstance(data, (list, dict)):
        return data
    pandas = load_pandas("Input for a signature with columns")
    lists = not isinstance(data, dict) or any(isinstance(value, list) for value in data.values())
    try:
        return pandas.DataFrame(data if lists else [data])
    except (ValueError, TypeError) as error:
        raise InvalidModel(f"The input cannot be read as a table: {error}.") from error


def _cast(values: Any, kind: DataType) -> Any:
    held = column_type(values)
    cast = _CASTS.get((held, kind)) if isinstance(held, DataType) else None
    return values if cast is None else cast(values, kind)


def _to_real(values: Any, kind: DataType) -> Any:
    exact = values.dtype.kind not in "iu" or bool(((values >= -_EXACT) & (values <= _EXACT)).all())
    return values.astype(kind.numpy_name) if exact else values


def _to_integer(values: Any, kind: DataType) -> Any:
    fits = values.dtype.kind in "iu" and bool(((values >= -(2**31)) & (values < 2**31)).all())
    return values.astype(kind.numpy_name) if fits else values


def _to_moments(values: Any, _kind: DataType) -> Any:
    try:
        return load_pandas("Reading moments").to_datetime(values)
    except (ValueError, TypeError):  # no moments: the signature's own check says so
        return values


def _to_bytes(values: Any, _kind: DataType) -> Any:
    try:
        decoded = [each if each is None else base64.b64decode(each, validate=True) for each in values]
    except (binascii.Error, ValueError, TypeError):  # no base64: the signature's own check says so
        return values
    return type(values)(decoded, index=values.index, name=values.name, dtype=object)


_CASTS: dict[Any, Callable[[Any, DataType], Any]] = {
    (DataType.long, DataType.double): _to_real,
    (DataType.long, DataType.float): _to_real,
    (DataType.double, DataType.float): _to_real,
    (DataType.long, DataType.integer): _to_integer,
    (DataType.string, DataType.datetime): _to_moments,
    (DataType.string, DataType.binary): _to_bytes,
}
