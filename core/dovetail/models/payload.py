"""Request bodies and input files for models, read into what models take.

Runs inside models' own environments too: Python 3.8, the standard library, and pandas or numpy where they are there.
"""

from __future__ import annotations

import base64
import csv
import io
import json
from typing import Any

from dovetail.errors import InvalidModel

__all__ = ["dump_predictions", "read_payload"]

_KEYS = ("dataframe_split", "dataframe_records", "instances", "inputs")


def read_payload(text: str, content_type: str) -> tuple[Any, dict[str, Any]]:
    """The model input and the inference parameters in a request body.

    Args:
        text: The body.
        content_type: ``csv`` or ``json``. JSON holds exactly one of ``dataframe_split``, ``dataframe_records``,
            ``instances`` and ``inputs``, and may hold ``params``; a bare list counts as ``instances``.

    Returns:
        A DataFrame for tables (a list of dicts where pandas is absent), else plain lists and dicts; and the params.

    Raises:
        InvalidModel: The body cannot be read.
    """
    if content_type == "csv":
        return _read_csv(text), {}
    if content_type != "json":
        raise InvalidModel(f"The content type {content_type!r} is unknown.", hint="Use csv or json.")
    return _read_json(text)


def _read_json(text: str) -> tuple[Any, dict[str, Any]]:
    try:
        body = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InvalidModel(f"The input is no JSON: {error}.") from error
    if isinstance(body, list):
        return body, {}
    keys = [key for key in _KEYS if key in body] if isinstance(body, dict) else []
    if len(keys) != 1:
        raise InvalidModel(
            f"The input holds {' and '.join(keys) or 'none'} of {', '.join(_KEYS)}; exactly one is expected.",
            hint='For example {"dataframe_records": [{"x": 1.0}]}.',
        )
    params = body.get("params") or {}
    if not isinstance(params, dict):
        raise InvalidModel(f"params must be a mapping, not {type(params).__name__}.")
    return _data(keys[0], body[keys[0]]), params


def _data(key: str, data: Any) -> Any:
    if key == "dataframe_split":
        if not isinstance(data, dict) or not isinstance(data.get("data"), list):
            raise InvalidModel(
                "dataframe_split must hold columns and data.", hint='{"columns": ["x"], "data": [[1.0]]}'
            )
        return _table(data["data"], data.get("columns"))
    if key == "dataframe_records":
        if not isinstance(data, list) or not all(isinstance(row, dict) for row in data):
            raise InvalidModel("dataframe_records must be a list of mappings, one a row.")
        return _table(data, None)
    return data


def _table(rows: list[Any], columns: Any) -> Any:
    try:
        import pandas as pd
    except ImportError:
        return _records(rows, columns) if columns else rows
    try:
        return pd.DataFrame(rows, columns=columns)
    except (ValueError, TypeError, AssertionError) as error:
        raise InvalidModel(f"The rows of the input do not make a table: {error}.") from error


def _records(rows: list[Any], columns: Any) -> list[dict[str, Any]]:
    if not isinstance(columns, list):
        raise InvalidModel("The columns of the input must be a list of names.")
    if not all(isinstance(row, list) and len(row) == len(columns) for row in rows):
        raise InvalidModel(f"The rows of the input do not make a table of {len(columns)} columns.")
    return [dict(zip(map(str, columns), row)) for row in rows]  # noqa: B905 - Python 3.8


def _read_csv(text: str) -> Any:
    try:
        import pandas as pd
    except ImportError:
        return [{key: _cell(value) for key, value in row.items()} for row in csv.DictReader(io.StringIO(text))]
    try:
        return pd.read_csv(io.StringIO(text))
    except (ValueError, pd.errors.ParserError) as error:
        raise InvalidModel(f"The input is no CSV table: {error}.") from error


def _cell(value: str | None) -> Any:
    if not value:
        return None
    for kind in (int, float):  # whole numbers stay exact
        try:
            return kind(value)
        except ValueError:  # noqa: PERF203 - no number of this kind
            continue
    return value


def dump_predictions(predictions: Any) -> str:
    """The answer to a request: ``{"predictions": …}`` as JSON.

    Tables become lists of records, moments text in ISO 8601, bytes text in base64.
    """
    return json.dumps({"predictions": _plain(predictions)})


def _plain(value: Any) -> Any:
    if hasattr(value, "to_dict") and hasattr(value, "columns"):
        value = value.to_dict(orient="records")
    elif hasattr(value, "tolist"):
        kind = getattr(getattr(value, "dtype", None), "kind", "")
        # Arrays of moments would become whole numbers of some unit.
        value = (value.astype(str) if kind in ("m", "M") else value).tolist()
    if isinstance(value, dict):
        return {str(key): _plain(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)) or hasattr(value, "__next__"):
        return [_plain(each) for each in value]
    return _plain_scalar(value)


def _plain_scalar(value: Any) -> Any:
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, bytes):
        return base64.b64encode(value).decode("ascii")
    return value.isoformat() if hasattr(value, "isoformat") else str(value)
