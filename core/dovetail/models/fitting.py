"""Whether a single value, possibly nested, fits a type; and the value as that type holds it.

Python's own numbers have no width, so an int counts as a double where the double holds it exactly. Numpy's numbers
have one, and only widen.
"""

from __future__ import annotations

import datetime as dt
import textwrap
from typing import TYPE_CHECKING, Any

from dovetail.models.datatypes import Array, DataType, Map, Object, datatype_of
from dovetail.models.recognition import is_array, is_numpy_scalar

if TYPE_CHECKING:
    from dovetail.models.datatypes import ColumnType, Property

__all__ = ["Misfit", "fit", "fit_scalar", "plain"]


class Misfit(ValueError):
    """A value does not fit its type; the message says why."""


_INTEGERS = (DataType.integer, DataType.long)
_REALS = (DataType.float, DataType.double)
_WIDER = {
    DataType.integer: (*_INTEGERS, *_REALS),
    DataType.long: (DataType.long, *_REALS),
    DataType.float: _REALS,
}


def fit(value: Any, kind: ColumnType) -> Any:
    """``value`` as ``kind`` holds it.

    Args:
        value: A value inside a column: a number, text, list, dictionary…
        kind: What the signature says it is.

    Raises:
        Misfit: The value does not fit; the message names the item, property or key.
    """
    if isinstance(kind, DataType):
        return fit_scalar(value, kind)
    if isinstance(kind, Array):
        return _fit_array(value, kind)
    if isinstance(kind, Object):
        return _fit_object(value, kind)
    if isinstance(kind, Map):
        return _fit_map(value, kind)
    return value


def fit_scalar(value: Any, kind: DataType) -> Any:
    """A single value as ``kind`` holds it: a Python value of the type.

    Raises:
        Misfit: The value has another type, or could not be held exactly.
    """
    value = plain(value, kind)
    if kind in _INTEGERS and _is_int(value):
        return _in_range(value, kind)
    if kind in _REALS and (isinstance(value, float) or _is_int(value)):
        return _real(value, kind)
    if kind is DataType.datetime and isinstance(value, dt.date):
        return _naive(value)
    if isinstance(value, _PYTHON_TYPES.get(kind, ())):
        return value
    raise Misfit(f"{value!r} ({type(value).__name__}) is no {kind}")


_PYTHON_TYPES: dict[DataType, tuple[type, ...]] = {
    DataType.boolean: (bool,),
    DataType.string: (str,),
    DataType.binary: (bytes, bytearray),
}


def plain(value: Any, kind: DataType) -> Any:
    """The Python value of a numpy scalar, any other value as it is.

    Raises:
        Misfit: The numpy type is wider than ``kind``.
    """
    if not is_numpy_scalar(value):
        return value
    held = datatype_of(value.dtype)
    if held is None or kind not in _WIDER.get(held, (held,)):
        raise Misfit(f"{value!r} ({value.dtype}) is no {kind}")
    # Nanoseconds have no Python type; datetimes end at microseconds.
    return value.astype("datetime64[us]").item() if held is DataType.datetime else value.item()


def _is_int(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _in_range(value: int, kind: DataType) -> int:
    bits = 32 if kind is DataType.integer else 64
    if -(2 ** (bits - 1)) <= value < 2 ** (bits - 1):
        return value
    raise Misfit(f"{value} does not fit into the {bits} bits of {kind}")


def _real(value: float, kind: DataType) -> float:
    if isinstance(value, float) or int(float(_in_range(value, kind))) == value:
        return float(value)
    raise Misfit(f"{value} cannot be held exactly by a {kind}")


def _naive(value: dt.date) -> dt.date:
    # Signatures know no time zones: an aware datetime is kept as the same moment in UTC.
    if isinstance(value, dt.datetime) and value.tzinfo is not None:
        return value.astimezone(dt.timezone.utc).replace(tzinfo=None)
    return value


def _fit_array(value: Any, kind: Array) -> Any:
    if is_array(value) and value.ndim == 1 and isinstance(kind.dtype, DataType) and datatype_of(value.dtype):
        return _fit_numpy(value, kind.dtype)
    if not (isinstance(value, list) or is_array(value)):
        raise Misfit(f"{_short(value)} ({type(value).__name__}) is no list or numpy array")
    return [_fit_item(item, kind.dtype, f"item {place}") for place, item in enumerate(value)]


def _fit_numpy(value: Any, kind: DataType) -> Any:
    held = datatype_of(value.dtype)
    if held is kind:
        return value if held in (DataType.string, DataType.binary) else value.astype(kind.numpy_name)
    if held and kind in _WIDER.get(held, ()) and _all_exact(value, held, kind):
        return value.astype(kind.numpy_name)
    raise Misfit(f"an array of {value.dtype} is no Array({kind})")


def _all_exact(value: Any, held: DataType, kind: DataType) -> bool:
    if held in _REALS or kind in _INTEGERS:
        return True
    limit = 2 ** (24 if kind is DataType.float else 53)  # up to here a real holds every integer
    return bool(((value >= -limit) & (value <= limit)).all())


def _fit_item(item: Any, kind: ColumnType, place: str) -> Any:
    if item is None and isinstance(kind, DataType) and kind is not DataType.boolean and kind not in _INTEGERS:
        return float("nan") if kind in _REALS else None
    return _fit_inside(item, kind, place)


def _fit_object(value: Any, kind: Object) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise Misfit(f"{_short(value)} ({type(value).__name__}) is no dictionary")
    known = {each.name: each for each in kind.properties}
    missing = [name for name, each in known.items() if each.required and name not in value]
    if missing:
        raise Misfit(f"lacks the properties {', '.join(missing)}")
    unknown = [repr(name) for name in value if name not in known]
    if unknown:
        raise Misfit(f"has properties that the signature does not know: {', '.join(unknown)}")
    return {name: _fit_property(item, known[name]) for name, item in value.items()}


def _fit_property(value: Any, prop: Property) -> Any:
    if value is None and not prop.required:
        return None
    return _fit_inside(value, prop.dtype, f"property {prop.name!r}")


def _fit_map(value: Any, kind: Map) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise Misfit(f"{_short(value)} ({type(value).__name__}) is no dictionary")
    strange = [repr(key) for key in value if not isinstance(key, str)]
    if strange:
        raise Misfit(f"has keys that are no strings: {', '.join(strange)}")
    return {key: _fit_inside(item, kind.value_type, f"key {key!r}") for key, item in value.items()}


def _fit_inside(value: Any, kind: ColumnType, place: str) -> Any:
    try:
        return fit(value, kind)
    except Misfit as misfit:
        raise Misfit(f"{place}: {misfit}") from misfit


def _short(value: Any) -> str:
    return textwrap.shorten(repr(value), width=60, placeholder="...")
