"""The params that a model takes beside its input, and the check of the values a caller gives."""

from __future__ import annotations

import datetime as dt
import json
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dovetail.errors import InvalidModel
from dovetail.models.datatypes import DataType, Object, as_type, read_records, type_from_dict
from dovetail.models.fitting import Misfit, fit, fit_scalar
from dovetail.models.recognition import is_array

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from dovetail.models.datatypes import Record

__all__ = ["ParamSchema", "ParamSpec", "enforce_params"]


@dataclass(frozen=True, init=False)
class ParamSpec:
    """One param of a model.

    Args:
        name: The name that callers use.
        dtype: The type of the value or of its items: a DataType but ``binary``, an Object, or a type's name.
        default: The value when the caller gives none; None is allowed for single values.
        shape: None for a single value or a dictionary, ``(-1,)`` for a list.

    Raises:
        InvalidModel: No such type, or a default that does not fit type and shape.
    """

    name: str
    dtype: DataType | Object
    default: Any
    shape: tuple[int, ...] | None

    def __init__(
        self, name: str, dtype: DataType | Object | str, default: Any, shape: Iterable[int] | None = None
    ) -> None:
        object.__setattr__(self, "name", name)
        object.__setattr__(self, "dtype", _param_type(name, dtype))
        object.__setattr__(self, "shape", _param_shape(name, shape))
        object.__setattr__(self, "default", self._checked_default(default))

    def __str__(self) -> str:
        shape = f" (shape: {self.shape})" if self.shape else ""
        return f"{self.name!r}: {self.dtype} (default: {self.default}){shape}"

    def _checked_default(self, default: Any) -> Any:
        try:
            return self.fit(default)
        except Misfit as misfit:
            raise InvalidModel(f"The default of the param {self.name!r} does not fit: {misfit}.") from misfit

    def fit(self, value: Any) -> Any:
        """``value`` as plain Python of the param's type.

        Raises:
            Misfit: It does not fit type or shape.
        """
        if self.shape:
            return self._fit_list(value)
        if isinstance(self.dtype, Object):
            return fit(value, self.dtype)
        return None if value is None else _fit_one(value, self.dtype)

    def _fit_list(self, value: Any) -> list[Any]:
        if not (isinstance(value, (list, tuple)) or (is_array(value) and value.ndim == 1)):
            raise Misfit(f"{value!r} is no list, which the shape {self.shape} asks for")
        return [
            fit(item, self.dtype) if isinstance(self.dtype, Object) else _fit_one(item, self.dtype) for item in value
        ]

    def to_dict(self) -> Record:
        """The record that stands in an ``MLmodel`` file."""
        shape = list(self.shape) if self.shape else None
        return {"name": self.name, "default": _writable(self.default), "shape": shape, **self.dtype.to_dict()}

    @classmethod
    def from_dict(cls, record: Mapping[str, Any]) -> ParamSpec:
        """The param that a record of an ``MLmodel`` file describes.

        Raises:
            InvalidModel: The record describes no param.
        """
        absent = [key for key in ("name", "default") if key not in record]
        if absent:
            raise InvalidModel(f"A param lacks {' and '.join(absent)}: {dict(record)!r}.")
        # Early files say `dtype` where today's say `type`.
        dtype: Any = type_from_dict({**record, "type": record.get("type", record.get("dtype"))})
        return cls(record["name"], dtype, record["default"], record.get("shape"))


@dataclass(frozen=True, init=False)
class ParamSchema:
    """All params of a model.

    Args:
        params: The params; their names differ.

    Raises:
        InvalidModel: Two params of one name.
    """

    params: list[ParamSpec]

    def __init__(self, params: Iterable[ParamSpec]) -> None:
        listed = list(params)
        names = [each.name for each in listed]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise InvalidModel(f"The signature has several params named {', '.join(twice)}.")
        object.__setattr__(self, "params", listed)

    def __str__(self) -> str:
        return f"[{', '.join(str(each) for each in self.params)}]"

    def to_dict(self) -> list[Record]:
        """The records that stand in an ``MLmodel`` file."""
        return [each.to_dict() for each in self.params]

    def to_json(self) -> str:
        """The text that stands in an ``MLmodel`` file."""
        return json.dumps(self.to_dict())

    @classmethod
    def from_json(cls, text: str) -> ParamSchema:
        """The params that a text of an ``MLmodel`` file describes.

        Raises:
            InvalidModel: It describes none.
        """
        return cls(ParamSpec.from_dict(record) for record in read_records(text, "params of the signature"))


def enforce_params(params: Mapping[str, Any] | None, schema: ParamSchema | None) -> dict[str, Any]:
    """The params to predict with: what the caller gave, checked, and the defaults for the rest.

    Args:
        params: What the caller gave. Names that the schema does not know are left out, with a warning.
        schema: The model's params; None if its signature names none.

    Returns:
        One plain Python value for each param of the schema.

    Raises:
        InvalidModel: Values that do not fit; all of them are named.
    """
    given = _named(params)
    specs = schema.params if schema else []
    _warn_of_unknown(given, [each.name for each in specs])
    fitted, problems = {}, []
    for spec in specs:
        try:
            fitted[spec.name] = spec.fit(given[spec.name]) if spec.name in given else spec.default
        except Misfit as misfit:  # noqa: PERF203 - all of them are reported, not only the first
            problems.append(f"{spec.name!r}: {misfit}")
    if problems:
        raise InvalidModel(f"The params do not fit the signature: {'; '.join(problems)}.")
    return fitted


def _named(params: Any) -> dict[str, Any]:
    if params is None:
        return {}
    if not isinstance(params, dict):
        raise InvalidModel(f"The params are a {type(params).__name__}.", hint="Pass a dictionary of names and values.")
    return {str(name): value for name, value in params.items()}


def _warn_of_unknown(given: dict[str, Any], known: list[str]) -> None:
    unknown = [name for name in given if name not in known]
    if unknown:
        takes = f"It takes {', '.join(known)}." if known else "Its signature has no params."
        warnings.warn(
            f"The model does not take the params {', '.join(unknown)}; they are ignored. {takes}", stacklevel=3
        )


def _fit_one(value: Any, kind: DataType) -> Any:
    # Params come and are kept as JSON, which has no datetimes: text in ISO 8601 stands for them.
    if kind is DataType.datetime and isinstance(value, str):
        value = _moment(value)
    return fit_scalar(value, kind)


def _moment(text: str) -> dt.date:
    try:
        if len(text) == len("2020-01-31"):
            return dt.date.fromisoformat(text)
        # Before Python 3.11, fromisoformat knows no `Z`.
        return dt.datetime.fromisoformat(text[:-1] + "+00:00" if text.endswith("Z") else text)
    except ValueError as error:
        raise Misfit(f"{text!r} is no datetime in ISO 8601") from error


def _param_type(name: str, dtype: Any) -> DataType | Object:
    kind = as_type(dtype)
    if isinstance(kind, Object) or (isinstance(kind, DataType) and kind is not DataType.binary):
        return kind
    raise InvalidModel(f"The param {name!r} cannot be of type {kind}.", hint="Use a DataType but binary, or an Object.")


def _param_shape(name: str, shape: Iterable[int] | None) -> tuple[int, ...] | None:
    if shape is None or tuple(shape) == (-1,):
        return None if shape is None else (-1,)
    raise InvalidModel(f"The param {name!r} has the shape {shape!r}.", hint="Use None for one value, (-1,) for a list.")


def _writable(value: Any) -> Any:
    if isinstance(value, dt.date):
        return value.isoformat()
    return [_writable(item) for item in value] if isinstance(value, list) else value
