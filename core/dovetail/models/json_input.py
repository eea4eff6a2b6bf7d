"""Model input from a request body or file, in the types that a signature asks for.

JSON and CSV have one type for all numbers and none for moments and bytes: ``1`` may be a double, a text a moment. Data
that does not become what the signature says stays as it is; holding it against the signature says what is wrong.

Runs inside models' own environments too: Python 3.8, the standard library, and pandas or numpy where they are there.
"""

from __future__ import annotations

import base64
import binascii
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
        InvalidModel: Lists are no array of the tensor's type, or pandas is needed and missing.
    """
    return _as_tensors(data, schema) if schema.is_tensor_spec() else _as_columns(data, schema)


# --- tensors ------------------------------------------------------------------------------------------------------


def _as_tensors(data: Any, schema: Any) -> Any:
    if not isinstance(data, (list, dict, bool, int, float, str)):
        return data
    specs = schema.inputs
    if not schema.has_input_names():
        return data if isinstance(data, dict) else _array(data, specs[0])
    if isinstance(data, list) and data and all(isinstance(row, dict) for row in data):
        data = {name: [row.get(name) for row in data] for name in data[0]}
    if not isinstance(data, dict):
        return data
    return {**data, **{spec.name: _array(data[spec.name], spec) for spec in specs if spec.name in data}}


def _array(values: Any, spec: Any) -> Any:
    import numpy as np

    try:
        return np.array(values, dtype=spec.type)
    except (ValueError, TypeError, OverflowError) as error:
        raise InvalidModel(f"The input is no array of {spec.dtype}: {error}.") from error


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
