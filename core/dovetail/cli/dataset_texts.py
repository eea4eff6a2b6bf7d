"""What a store keeps of a dataset as JSON, for people: columns, figures, where it came from.

Others may have written it, so what is no JSON, or not of a known shape, is shown as it is.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from dovetail import uris
from dovetail.values.summary import shortened

if TYPE_CHECKING:
    from dovetail.values import Dataset

__all__ = ["columns", "figures", "shortened_columns", "shortened_figures", "source"]

FEW = 3
LONGEST = 60
LONGEST_WHOLE = 500

# What reading JSON of another shape raises, or JSON that is nested more deeply than Python goes.
_ODD = (ValueError, KeyError, TypeError, AttributeError, RecursionError)


def columns(dataset: Dataset) -> list[tuple[str, str]]:
    """Names and types of its columns or arrays; where the schema is none that is known, the whole of it."""
    if not dataset.schema:
        return []
    try:
        held = json.loads(dataset.schema)
        if "mlflow_colspec" in held:
            return [_column(each) for each in held["mlflow_colspec"]]
        return [_array(part, each) for part, each in _tensors(held["mlflow_tensorspec"])]
    except _ODD:
        return [("-", shortened(dataset.schema, LONGEST_WHOLE))]


def _column(spec: Any) -> tuple[str, str]:
    name = spec.get("name")
    optional = " (optional)" if spec.get("required") is False else ""
    return ("-" if name is None else str(name)), f"{_type(spec)}{optional}"


def _type(spec: Any) -> str:
    if spec["type"] in ("array", "object", "map"):
        return json.dumps({key: value for key, value in spec.items() if key not in ("name", "required")})
    return str(spec["type"])


def _tensors(held: Any) -> list[tuple[str, Any]]:
    parts = [(part, json.loads(text)) for part, text in held.items() if text]
    return [(part, each) for part, specs in parts for each in specs]


def _array(part: str, spec: Any) -> tuple[str, str]:
    name, tensor = spec.get("name"), spec["tensor-spec"]
    shape = ", ".join("any" if size == -1 else str(size) for size in tensor["shape"])
    return (part if name is None else f"{part}.{name}"), f"{tensor['dtype']} ({shape})"


def figures(dataset: Dataset) -> list[tuple[str, str]]:
    """What its profile says, such as the number of rows."""
    if not dataset.profile:
        return []
    try:
        held = json.loads(dataset.profile)
        texts = {key: value if isinstance(value, str) else json.dumps(value) for key, value in held.items()}
    except _ODD:
        texts = {"profile": dataset.profile}
    return [(key, shortened(text, LONGEST_WHOLE)) for key, text in texts.items()]


def source(dataset: Dataset) -> str:
    """Where it came from: the one text that says so, or all that is known; without passwords."""
    try:
        held = json.loads(dataset.source)
    except _ODD:
        held = None
    only = next(iter(held.values())) if isinstance(held, dict) and len(held) == 1 else None
    return uris.masked(only if isinstance(only, str) else dataset.source)


def shortened_columns(dataset: Dataset) -> str:
    """The first columns with their types, and how many more there are."""
    found = columns(dataset)
    return _first([f"{name}: {kind}" for name, kind in found])


def shortened_figures(dataset: Dataset) -> str:
    """The first figures."""
    return _first([f"{name} {value}" for name, value in figures(dataset)])


def _first(texts: list[str]) -> str:
    more = [f"… {len(texts) - FEW} more"] if len(texts) > FEW else []
    return ", ".join([*(shortened(each, LONGEST) for each in texts[:FEW]), *more]) or "-"
