"""Text and documents as runs log them."""

from __future__ import annotations

import json
from typing import Any

from dovetail.errors import InvalidInput

__all__ = ["document", "encoded"]


def encoded(text: str) -> bytes:
    """Text in UTF-8. Raises ``InvalidInput``."""
    if not isinstance(text, str):
        raise InvalidInput(f"log_text takes text, not {type(text).__name__}.", hint="Use log_dict, or log_artifact.")
    try:
        return text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise InvalidInput(f"The text holds half a character and cannot be written as UTF-8: {error}.") from error


def document(dictionary: Any, path: str) -> str:
    """A dict or list as text: YAML for ``.yaml``/``.yml``, otherwise JSON.

    Raises:
        InvalidInput: It holds what neither has words for, or itself.
    """
    write = _yaml if path.lower().endswith((".yaml", ".yml")) else _json
    try:
        return write(dictionary)
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidInput(f"{path!r} cannot be written: {error}.", hint="Log plain dicts and lists.") from error


def _json(dictionary: Any) -> str:
    return json.dumps(dictionary, indent=2, ensure_ascii=False, default=_plain)


def _yaml(dictionary: Any) -> str:
    from yaml.representer import RepresenterError

    from dovetail.documents import dump_yaml

    try:
        return dump_yaml(dictionary)
    except RepresenterError:  # it holds something that is no plain data
        return dump_yaml(json.loads(_json(dictionary)))


def _plain(value: Any) -> Any:
    """What JSON does not know: arrays and their scalars as numbers, sets as lists, anything else as its text."""
    if hasattr(value, "tolist"):
        return value.tolist()
    return sorted(value, key=str) if isinstance(value, (set, frozenset)) else str(value)
