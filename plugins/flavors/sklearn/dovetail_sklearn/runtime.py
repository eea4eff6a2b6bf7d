"""Loading and predicting, also where there is no dovetail: Python 3.8, scikit-learn, and what the model needs.

This file alone is taken into a model's environment, so it imports nothing of this package.
"""

from __future__ import annotations

import importlib
import pickle
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["MissingColumnsError", "Predictor", "UnreadableError", "UntrustedTypesError", "load", "predict"]


class UnreadableError(Exception):
    """The model's files are not what this can read.

    Args:
        message: What is wrong.
        hint: What to do about it.
    """

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.hint = hint


class UntrustedTypesError(Exception):
    """A skops file holds types that nobody trusts.

    Args:
        types: Their names.
    """

    def __init__(self, types: Sequence[str]) -> None:
        super().__init__(f"The model holds types that are not trusted: {', '.join(types)}.")
        self.types = types


class MissingColumnsError(ValueError):
    """The input lacks columns that the model was fitted on.

    Args:
        missing: Their names.
        there: The names of the columns that the input has.
    """

    def __init__(self, missing: Sequence[str], there: Sequence[str]) -> None:
        super().__init__(
            f"The input lacks the columns {', '.join(map(repr, missing))}, which the model was fitted on; "
            f"it has {', '.join(map(repr, there)) or 'none'}."
        )


class Predictor:
    """A model and the method that predicts.

    Args:
        raw_model: What scikit-learn made.
        method: The method's name.
    """

    def __init__(self, raw_model: Any, method: str) -> None:
        self.raw_model = raw_model
        self.method = method


def load(path: str, conf: Mapping[str, Any], trusted: Sequence[str] = ()) -> Predictor:
    """Read a model back.

    Args:
        path: The model's folder.
        conf: What ``MLmodel`` says; its list of trusted types is not looked at, since the model wrote it itself.
        trusted: Types that a skops file may hold, by the caller's word.

    Raises:
        UnreadableError: A file is missing, outside the model, or in an unknown format.
        UntrustedTypesError: A skops file holds further types.
    """
    _compare_versions(conf.get("sklearn_version"))
    method = conf.get("predict_fn") or "predict"
    if not isinstance(method, str) or method.startswith("_"):
        raise UnreadableError(f"predict_fn is {method!r}, which is no public method.")
    file = _inside(path, conf.get("pickled_model") or conf.get("model_path") or "model.pkl")
    return Predictor(_read(file, conf.get("serialization_format", "pickle"), trusted), method)


def predict(model: Any, data: Any, params: Mapping[str, Any]) -> Any:
    """Predictions for data.

    Args:
        model: What ``load`` gave, or a scikit-learn model.
        data: A table, an array, or lists. A list of mappings is a table: its columns are those that the model was
            fitted on, matched by name; for a model that knows no names they are all columns, in the first row's order.
        params: Arguments for the method that predicts.

    Raises:
        MissingColumnsError: A list of mappings lacks columns that the model was fitted on.
    """
    if not isinstance(model, Predictor):
        model = Predictor(model, "predict")
    return getattr(model.raw_model, model.method)(_table(data, model.raw_model), **params)


def _read(file: Path, form: Any, trusted: Sequence[str]) -> Any:
    if not file.is_file():
        raise UnreadableError(f"The model's file {file.name} is missing.")
    if form == "skops" or file.suffix == ".skops":
        return _read_skops(file, trusted)
    if form not in ("cloudpickle", "pickle"):
        raise UnreadableError(f"The model's serialization_format is {form!r}; known are cloudpickle, pickle and skops.")
    if form == "cloudpickle":
        importlib.import_module("cloudpickle")  # the pickle calls its functions; say early that it is missing
    try:
        with file.open("rb") as stream:
            return pickle.load(stream)  # noqa: S301 - dovetail asks for trust before it loads
    except (pickle.UnpicklingError, EOFError) as error:
        raise UnreadableError(f"The model's file {file.name} is no pickle: {error}") from error


def _read_skops(file: Path, trusted: Sequence[str]) -> Any:
    try:
        skops = importlib.import_module("skops.io")
    except ImportError as error:
        raise UnreadableError(
            f"{file.name} is in the skops format, and skops is not installed.", "pip install skops"
        ) from error
    unknown = sorted(set(skops.get_untrusted_types(file=file)) - set(trusted))
    if unknown:
        raise UntrustedTypesError(unknown)
    return skops.load(file, trusted=list(trusted))


def _inside(folder: str, name: Any) -> Path:
    """A file of the model; ``MLmodel`` must not lead to others."""
    root = Path(folder).resolve()
    place = (root / str(name)).resolve()
    if root not in place.parents:
        raise UnreadableError(f"MLmodel names {name!r}, which is not below the model's folder.")
    return place


def _compare_versions(saved: Any) -> None:
    import sklearn

    if saved and str(saved) != sklearn.__version__:
        warnings.warn(
            f"The model was saved with scikit-learn {saved}, and {sklearn.__version__} is installed: it may fail, or "
            f"predict something else. Install scikit-learn=={saved} for the same results.",
            stacklevel=3,
        )


def _table(data: Any, model: Any) -> Any:
    """Lists of mappings as tables, or as arrays where there is no pandas."""
    if not (isinstance(data, list) and data and all(isinstance(row, dict) for row in data)):
        return data
    fitted = getattr(model, "feature_names_in_", None)
    columns = list(data[0]) if fitted is None else list(fitted)
    there = set(data[0]).intersection(*data[1:])
    if missing := [column for column in columns if column not in there]:
        raise MissingColumnsError(missing, list(data[0]))
    rows = [[row[column] for column in columns] for row in data]
    return _array(rows) if fitted is None else _framed(rows, columns)


def _framed(rows: list[Any], columns: list[Any]) -> Any:
    try:
        pandas = importlib.import_module("pandas")
    except ImportError:
        return _array(rows)
    return pandas.DataFrame(rows, columns=columns)


def _array(rows: list[Any]) -> Any:
    import numpy as np

    # Without a dtype one text among the cells would make texts of all numbers.
    texts = any(isinstance(cell, str) for row in rows for cell in row)
    return np.array(rows, dtype=object if texts else None)
