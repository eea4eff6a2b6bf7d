"""What kind of data an object is, told without importing the library it comes from."""

from __future__ import annotations

import datetime as dt
from typing import Any

__all__ = ["is_array", "is_frame", "is_numpy_scalar", "is_scalar", "is_series", "is_sparse"]


def _descends(value: Any, package: str, name: str) -> bool:
    # Also subclasses that other packages define, such as a GeoDataFrame.
    return any(kind.__name__ == name and kind.__module__.partition(".")[0] == package for kind in type(value).__mro__)


def is_frame(value: Any) -> bool:
    """Whether ``value`` is a pandas DataFrame."""
    return _descends(value, "pandas", "DataFrame")


def is_series(value: Any) -> bool:
    """Whether ``value`` is a pandas Series."""
    return _descends(value, "pandas", "Series")


def is_array(value: Any) -> bool:
    """Whether ``value`` is a numpy array of at least one dimension."""
    return _descends(value, "numpy", "ndarray") and value.ndim > 0


def is_numpy_scalar(value: Any) -> bool:
    """Whether ``value`` is a numpy scalar, or an array without dimensions, which holds one."""
    return _descends(value, "numpy", "generic") or (_descends(value, "numpy", "ndarray") and value.ndim == 0)


def is_sparse(value: Any) -> bool:
    """Whether ``value`` is a scipy sparse matrix or array."""
    kinds = (kind.__module__ for kind in type(value).__mro__)
    return any(module.startswith("scipy.sparse") for module in kinds) and hasattr(value, "format")


def is_scalar(value: Any) -> bool:
    """Whether ``value`` is a single value of a type that a signature knows."""
    plain = (bool, int, float, str, bytes, bytearray, dt.date)
    return isinstance(value, plain) or is_numpy_scalar(value)
