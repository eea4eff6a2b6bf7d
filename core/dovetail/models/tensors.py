"""Tensors: whether arrays, sparse matrices and tables fit the dtype and shape a signature names."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from dovetail.errors import InvalidModel
from dovetail.models.recognition import is_array, is_frame, is_series, is_sparse
from dovetail.models.schema import dtype_name

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dovetail.models.schema import Name, Schema, TensorSpec

__all__ = ["enforce_tensors"]


def enforce_tensors(data: Any, schema: Schema, what: str) -> Any:
    """Arrays as the signature wants them.

    Args:
        data: An array, a sparse matrix, a dictionary of arrays, or a table whose columns hold them.
        schema: A schema of tensors.
        what: What the data is, for messages.

    Returns:
        The array or matrix itself, one made from the table, or a dictionary of those that the schema names.

    Raises:
        InvalidModel: A tensor is missing, or its dtype or shape is another.
    """
    data = data.to_frame() if is_series(data) else data
    if not schema.has_input_names():
        return _enforce_one(data, _tensors(schema)[0], what)
    return _enforce_named(data, schema, what)


def _tensors(schema: Schema) -> list[TensorSpec]:
    specs: Any = schema.inputs
    return specs  # type: ignore[no-any-return]


def _enforce_one(data: Any, spec: TensorSpec, what: str) -> Any:
    if is_frame(data):
        return _from_frame(data, spec, what)
    if is_array(data) or is_sparse(data):
        return _checked(data, spec, what)
    raise InvalidModel(
        f"The {what} is a {type(data).__name__}, and the signature asks for a numpy array: {spec}.",
        hint=f"Pass numpy.array(..., dtype={spec.dtype!r}).",
    )


def _enforce_named(data: Any, schema: Schema, what: str) -> dict[Name, Any]:
    specs = schema.input_names()
    if len(specs) == 1 and is_array(data):
        data = {specs[0]: data}
    if not (isinstance(data, dict) or is_frame(data)):
        raise InvalidModel(
            f"The {what} is a {type(data).__name__}, and the signature asks for tensors by name: {schema}.",
            hint="Pass a dictionary of numpy arrays.",
        )
    _check_missing(specs, data, what)
    return {spec.name: _by_name(data, spec, what) for spec in _tensors(schema) if spec.name is not None}


def _check_missing(names: list[Name], data: Any, what: str) -> None:
    missing = [repr(name) for name in names if name not in data]
    if missing:
        raise InvalidModel(f"The {what} lacks {', '.join(missing)}; it has {_listed(data)}.")


def _listed(names: Iterable[Any]) -> str:
    return ", ".join(repr(name) for name in names) or "nothing"


def _by_name(data: Any, spec: TensorSpec, what: str) -> Any:
    value, where = data[spec.name], f"{what} {spec.name!r}"
    if is_frame(data):
        return _from_column(value, spec, where)
    if not is_array(value):
        raise InvalidModel(
            f"The {where} is a {type(value).__name__}, and the signature asks for a numpy array: {spec}.",
            hint=f"Pass numpy.array(..., dtype={spec.dtype!r}).",
        )
    return _checked(value, spec, where)


def _checked(value: Any, spec: TensorSpec, where: str) -> Any:
    found = _name_of(value.dtype)
    if found != spec.dtype:
        raise InvalidModel(
            f"The {where} has the dtype {found}, and the signature asks for {spec.dtype}.",
            hint=f"Convert it with .astype({spec.dtype!r}), if that loses nothing.",
        )
    if not _shape_fits(value.shape, spec.shape):
        raise InvalidModel(
            f"The {where} has the shape {tuple(value.shape)}, and the signature asks for {spec.shape}.",
            hint="-1 stands for any extent.",
        )
    return value


def _name_of(dtype: Any) -> str:
    try:
        return dtype_name(dtype)
    except InvalidModel:
        return str(dtype)  # one that no signature can ask for


def _shape_fits(shape: tuple[int, ...], wanted: tuple[int, ...]) -> bool:
    same_rank = len(shape) == len(wanted)
    return same_rank and all(want in (-1, extent) for extent, want in zip(shape, wanted))  # noqa: B905 - Python 3.8


def _from_frame(frame: Any, spec: TensorSpec, what: str) -> Any:
    if len(frame.columns) == 1:
        return _from_column(frame.iloc[:, 0], spec, what)
    return _checked(frame.to_numpy(), spec, what)


def _from_column(values: Any, spec: TensorSpec, where: str) -> Any:
    """The tensor whose examples are the cells of a column: numbers, flat lists, or arrays."""
    if spec.shape[:1] != (-1,) or -1 in spec.shape[1:]:
        raise InvalidModel(
            f"The {where} is a table, which cannot hold the shape {spec.shape}: only its first extent may vary.",
            hint="Pass a numpy array.",
        )
    array = _stacked(values, spec, where)
    if len(values) and is_array(values.iloc[0]):
        return _checked(array, spec, where)  # arrays know their dtype; numbers in tables lost theirs
    return _checked(_cast(array, spec, where), spec, where)


def _stacked(values: Any, spec: TensorSpec, where: str) -> Any:
    np = importlib.import_module("numpy")
    cells = values.tolist()
    if values.dtype.kind != "O":
        cells = values.to_numpy()
    try:
        return np.asarray(cells if len(cells) else np.empty(0, spec.type)).reshape(len(cells), *spec.shape[1:])
    except ValueError as error:
        raise InvalidModel(
            f"The {where} is a column that cannot be brought to the shape {spec.shape}: {error}.",
            hint="Every cell must hold one example, as a number, a flat list or an array.",
        ) from error


def _cast(array: Any, spec: TensorSpec, where: str) -> Any:
    np = importlib.import_module("numpy")
    result = array.astype(spec.type) if np.can_cast(array.dtype, spec.type, casting="same_kind") else None
    if result is None or (spec.type.kind in "iu" and (result != array).any()):
        raise InvalidModel(f"The {where} holds {array.dtype}, and the signature asks for {spec.dtype}.")
    return result
