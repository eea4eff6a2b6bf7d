"""Input examples: kept with the model in the two forms MLflow keeps them in."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from dovetail.errors import InvalidModel
from dovetail.models.recognition import is_array, is_frame

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["EXAMPLE_FILE", "SERVING_FILE", "write_example"]

EXAMPLE_FILE = "input_example.json"
SERVING_FILE = "serving_input_example.json"


def write_example(example: Any, folder: Path) -> dict[str, Any]:
    """Write the example as data and as a request body; return what ``MLmodel`` says about them.

    Args:
        example: A DataFrame, array, list or dict.
        folder: The model's folder.

    Raises:
        InvalidModel: It cannot be written as JSON.
    """
    kind, data, request = _forms(example)
    try:
        (folder / EXAMPLE_FILE).write_text(json.dumps(data, default=_plain), encoding="utf-8")
        (folder / SERVING_FILE).write_text(json.dumps(request, indent=2, default=_plain), encoding="utf-8")
    except (TypeError, ValueError) as error:
        raise InvalidModel(f"The input example cannot be written as JSON: {error}.") from error
    info = {"artifact_path": EXAMPLE_FILE, "serving_input_path": SERVING_FILE, "type": kind}
    return {**info, "pandas_orient": "split"} if kind == "dataframe" else info


def _forms(example: Any) -> tuple[str, Any, Any]:
    if is_frame(example):
        split = example.to_dict(orient="split", index=False)
        return "dataframe", split, {"dataframe_split": split}
    if hasattr(example, "tolist"):
        return "ndarray", example.tolist(), {"inputs": example.tolist()}
    arrays = isinstance(example, dict) and bool(example) and all(is_array(each) for each in example.values())
    return "ndarray" if arrays else "json_object", example, {"inputs": example}


def _plain(value: Any) -> Any:
    if hasattr(value, "tolist"):
        return value.tolist()
    if hasattr(value, "isoformat"):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} is not plain data")
