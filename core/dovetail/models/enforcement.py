"""Whether a model's input is what its signature says, and the input as the model wants it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dovetail.errors import InvalidModel
from dovetail.models.columns import fit_column, load_pandas
from dovetail.models.datatypes import AnyType, Array, Map, Object
from dovetail.models.fitting import Misfit
from dovetail.models.params import enforce_params
from dovetail.models.recognition import is_array, is_frame, is_numpy_scalar, is_scalar, is_series
from dovetail.models.tensors import enforce_tensors

if TYPE_CHECKING:
    from dovetail.models.schema import ColSpec, Schema

__all__ = ["enforce_params", "enforce_schema"]


def enforce_schema(data: Any, schema: Schema, *, what: str = "model input") -> Any:
    """The data as the signature wants it.

    Tables get exactly the signature's columns, in its order, and no others; narrower numbers are widened. Lists,
    dictionaries and single values become tables where the signature has columns. Arrays are never converted.

    Args:
        data: What the caller passed to the model.
        schema: The inputs of the model's signature.
        what: What the data is, for messages.

    Returns:
        A DataFrame for columns, an array or a dictionary of arrays for tensors; the data as it is where the signature
        is a single unnamed ``any``.

    Raises:
        InvalidModel: Inputs are missing or do not fit (all of them are named), or pandas is needed and missing.
    """
    if schema.is_tensor_spec():
        return enforce_tensors(data, schema, what)
    specs: Any = schema.inputs
    if _takes_anything(specs):
        return data
    return _enforce_columns(_as_frame(data, specs, what), specs, what)


def _takes_anything(specs: list[ColSpec]) -> bool:
    return len(specs) == 1 and specs[0].name is None and isinstance(specs[0].type, AnyType)


def _as_frame(data: Any, specs: list[ColSpec], what: str) -> Any:
    if is_frame(data):
        return data
    if is_series(data):
        return data.to_frame()
    if not (is_scalar(data) or isinstance(data, (dict, list)) or is_array(data)):
        raise InvalidModel(
            f"The {what} is a {type(data).__name__}, and the signature asks for a table.",
            hint="Pass a pandas DataFrame, a list of dictionaries, or a dictionary of columns.",
        )
    pandas = load_pandas(f"Checking the {what} against the columns of the signature")
    try:
        return _built(pandas, data, specs)
    except (ValueError, TypeError) as error:
        raise InvalidModel(f"The {what} cannot be read as a table: {error}.") from error


def _built(pandas: Any, data: Any, specs: list[ColSpec]) -> Any:
    if isinstance(data, dict):
        return _from_dict(pandas, data, specs)
    nested = specs[0].name is None and _is_nested(specs[0])
    if nested and isinstance(data, list):
        return pandas.Series(data, dtype=object).to_frame()
    return pandas.DataFrame([_unboxed(data)] if is_scalar(data) else data)


def _from_dict(pandas: Any, data: dict[Any, Any], specs: list[ColSpec]) -> Any:
    """One row where a value fills one cell, else a column for each value."""
    if specs[0].name is None and _is_nested(specs[0]):
        return pandas.Series([data], dtype=object).to_frame()
    data = {name: _unboxed(value) for name, value in data.items()}
    one_row = any(_is_nested(spec) for spec in specs)
    if one_row or all(value is None or is_scalar(value) for value in data.values()):
        return pandas.DataFrame([data])
    return pandas.DataFrame(data)


def _unboxed(value: Any) -> Any:
    # An array without dimensions holds one value, but pandas takes it for a column of its own kind.
    return value[()] if is_numpy_scalar(value) and hasattr(value, "__setitem__") else value


def _is_nested(spec: ColSpec) -> bool:
    return isinstance(spec.type, (Array, Object, Map))


def _enforce_columns(frame: Any, specs: list[ColSpec], what: str) -> Any:
    columns = _chosen(frame, specs, what)
    fitted, problems = [], []
    for spec, values in columns:
        try:
            fitted.append(fit_column(values, spec.type, required=spec.required))
        except Misfit as misfit:  # noqa: PERF203 - all of them are reported, not only the first
            problems.append(f"column {values.name!r} {misfit}")
    if problems:
        raise InvalidModel(f"The {what} does not fit the signature: {'; '.join(problems)}.")
    return _assembled(frame, columns, fitted)


def _chosen(frame: Any, specs: list[ColSpec], what: str) -> list[tuple[ColSpec, Any]]:
    if specs[0].name is None:
        _check_count(frame, specs, what)
        return [(spec, frame.iloc[:, place]) for place, spec in enumerate(specs)]
    _check_names(frame, specs, what)
    return [(spec, frame[spec.name]) for spec in specs if spec.name in frame.columns]


def _check_count(frame: Any, specs: list[ColSpec], what: str) -> None:
    if len(frame.columns) < len(specs):
        raise InvalidModel(f"The {what} has {len(frame.columns)} columns, and the signature asks for {len(specs)}.")


def _check_names(frame: Any, specs: list[ColSpec], what: str) -> None:
    names = list(frame.columns)
    there = set(names)
    missing = [repr(spec.name) for spec in specs if spec.required and spec.name not in there]
    if missing:
        raise InvalidModel(
            f"The {what} lacks the columns {', '.join(missing)}; it has {', '.join(map(repr, names)) or 'none'}.",
            hint="Columns are matched by name; every required one must be there.",
        )
    repeated = set(frame.columns[frame.columns.duplicated()])
    twice = [repr(spec.name) for spec in specs if spec.name in repeated]
    if twice:
        raise InvalidModel(f"The {what} has more than one column named {', '.join(twice)}.")


def _assembled(frame: Any, columns: list[tuple[ColSpec, Any]], fitted: list[Any]) -> Any:
    if not fitted:
        return frame.iloc[:, :0]
    unchanged = all(new is old for new, (_, old) in zip(fitted, columns))  # noqa: B905 - Python 3.8
    if unchanged and [values.name for values in fitted] == list(frame.columns):
        return frame
    return load_pandas("A table").concat(fitted, axis=1)
