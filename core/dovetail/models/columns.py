"""Columns of tables: which type they hold, and whether they fit the one a signature names.

Values are only ever widened: a conversion that could change one is refused.
"""

from __future__ import annotations

import importlib
from typing import Any

from dovetail.errors import InvalidModel
from dovetail.models.datatypes import AnyType, DataType, SparkMLVector, datatype_of
from dovetail.models.fitting import Misfit, fit

__all__ = ["column_type", "fit_column", "load_pandas"]

_INFERRED: dict[str, DataType | AnyType] = {
    "string": DataType.string,
    "bytes": DataType.binary,
    "boolean": DataType.boolean,
    "integer": DataType.long,
    "floating": DataType.double,
    "mixed-integer-float": DataType.double,
    "datetime": DataType.datetime,
    "datetime64": DataType.datetime,
    "date": DataType.datetime,
    "empty": AnyType(),
}


def load_pandas(why: str) -> Any:
    """pandas, if it is there.

    Args:
        why: What needs it, for the message.

    Raises:
        InvalidModel: pandas is not installed.
    """
    try:
        return importlib.import_module("pandas")
    except ModuleNotFoundError as error:
        raise InvalidModel(f"{why} needs pandas, which is not installed.", hint="pip install pandas") from error


def column_type(values: Any) -> DataType | AnyType | None:
    """The type of a column's values, as far as single values go.

    Args:
        values: A pandas Series.

    Returns:
        The type; AnyType if there are no values; None for lists, dictionaries, mixtures and whatever else.
    """
    dtype = values.dtype
    if _is_category(dtype):
        return column_type(dtype.categories.to_series())
    if type(dtype).__name__ == "StringDtype":
        return DataType.string
    return _object_type(values) if dtype.kind == "O" else datatype_of(dtype)


def _is_category(dtype: Any) -> bool:
    return type(dtype).__name__ == "CategoricalDtype"


def _object_type(values: Any) -> DataType | AnyType | None:
    found = _INFERRED.get(_look_into(values))
    # Where integers are missing, a table holds floats as soon as it is built anew.
    return DataType.double if found is DataType.long and values.isna().any() else found


def _look_into(values: Any) -> str:
    return str(load_pandas("Reading a table").api.types.infer_dtype(values, skipna=True))


def fit_column(values: Any, kind: Any, *, required: bool) -> Any:
    """A column as the signature wants it.

    Args:
        values: A pandas Series.
        kind: The column's type in the signature.
        required: Whether lists and dictionaries must be there in every row.

    Returns:
        The Series itself where it fits already, else a converted one with the same index.

    Raises:
        Misfit: The column holds something else.
    """
    if isinstance(kind, (AnyType, SparkMLVector)):
        return values
    if not isinstance(kind, DataType):
        return _fit_cells(values, kind, required=required)
    held = column_type(values) if len(values) else AnyType()
    if held is kind:
        return values if _is_category(values.dtype) else _settled(values, kind)
    if isinstance(held, AnyType):
        return _fit_empty(values, kind)
    if held is None:
        return _fit_mixture(values, kind)
    return _widened(values, held, kind)


def _fit_cells(values: Any, kind: Any, *, required: bool) -> Any:
    cells = [_fit_cell(cell, kind, row, required=required) for row, cell in enumerate(values)]
    return type(values)(cells, index=values.index, name=values.name, dtype=object)


def _fit_cell(cell: Any, kind: Any, row: int, *, required: bool) -> Any:
    if not required and (cell is None or _is_missing(cell)):
        return None
    try:
        return fit(cell, kind)
    except Misfit as misfit:
        raise Misfit(f"row {row}: {misfit}") from misfit


def _is_missing(cell: Any) -> bool:
    # pandas marks a missing cell by a NaN, the one float that differs from itself.
    return (isinstance(cell, float) and cell != cell) or type(cell).__name__ in ("NAType", "NaTType")  # noqa: PLR0124


def _settled(values: Any, kind: DataType) -> Any:
    if kind in (DataType.string, DataType.binary) or _is_nullable(values):
        return values
    if kind is DataType.datetime:
        return _naive(values)
    if kind is DataType.boolean and values.isna().any():
        return values  # as bool, a missing value would become False
    return values if values.dtype == kind.numpy_name else values.astype(kind.numpy_name)


def _is_nullable(values: Any) -> bool:
    """Whether the column has missing values that its numpy type could not hold."""
    return hasattr(values.dtype, "na_value") and values.dtype.kind in "biu" and bool(values.isna().any())


def _naive(values: Any) -> Any:
    if getattr(values.dtype, "tz", None) is not None:
        raise Misfit(
            "holds datetimes with a time zone, and signatures know none: "
            "use `.dt.tz_convert('UTC').dt.tz_localize(None)`"
        )
    try:
        return values.astype("datetime64[ns]")
    except (TypeError, ValueError) as error:
        raise Misfit(f"holds datetimes that cannot be kept: {error}") from error


def _fit_empty(values: Any, kind: DataType) -> Any:
    """A column without a single value fits, if the type has a way to say so."""
    textual = kind in (DataType.string, DataType.binary)
    if not len(values):
        return values.astype(object).astype(object if textual else kind.numpy_name)
    if kind in (DataType.integer, DataType.long):
        raise Misfit(f"holds no values, and {kind} cannot be missing")
    return values if textual or kind is DataType.boolean else values.astype(kind.numpy_name)


def _fit_mixture(values: Any, kind: DataType) -> Any:
    if values.dtype.kind != "O":
        raise _mismatch(values, kind)
    if kind is DataType.double and _look_into(values) == "decimal":
        return load_pandas("Reading a table").to_numeric(values)
    if kind is DataType.binary:
        return _fit_cells(values, kind, required=False)
    if kind is DataType.string:
        return values
    raise _mismatch(values, kind)


def _widened(values: Any, held: DataType, kind: DataType) -> Any:
    if not _only_widens(values, held, kind):
        raise _mismatch(values, kind)
    if _is_nullable(values):
        return values.astype({"int64": "Int64", "float32": "Float32", "float64": "Float64"}[kind.numpy_name])
    return values.astype(kind.numpy_name)


def _only_widens(values: Any, held: DataType, kind: DataType) -> bool:
    if (held, kind) in ((DataType.integer, DataType.long), (DataType.float, DataType.double)):
        return True
    if held is DataType.integer or values.dtype.kind == "u":
        return kind is DataType.double
    # Flags are often kept as integers; wider ones may lose digits in a double.
    return held is DataType.long and kind in (DataType.float, DataType.double) and _all_flags(values)


def _all_flags(values: Any) -> bool:
    return bool(values.dropna().isin([0, 1]).all())


def _mismatch(values: Any, kind: DataType) -> Misfit:
    what = _look_into(values) if values.dtype.kind == "O" else values.dtype
    reason = f"holds {what}, which cannot be turned into {kind} safely"
    return Misfit(reason + (_MISSING_INTEGERS if _lost_its_integers(values, kind) else ""))


_MISSING_INTEGERS = (
    " (integers with missing values became floats; log the model with an example that has some missing, "
    "or with the column as double)"
)


def _lost_its_integers(values: Any, kind: DataType) -> bool:
    if kind not in (DataType.integer, DataType.long) or not values.isna().any():
        return False
    rest = values.dropna()
    return column_type(rest) in (DataType.float, DataType.double, DataType.long) and bool((rest % 1 == 0).all())
