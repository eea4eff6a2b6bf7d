"""Tags of registered models and versions, from whatever people pass."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dovetail.errors import InvalidInput
from dovetail.values import RegistryTag

__all__ = ["as_registry_tags"]


def as_registry_tags(tags: Mapping[str, Any] | None) -> tuple[RegistryTag, ...]:
    """Tags from a mapping, their values as text; None means none.

    Raises:
        InvalidInput: It is no mapping, or a key or value breaks the rules.
    """
    given = {} if tags is None else tags
    if not isinstance(given, Mapping):
        raise InvalidInput(f"Tags are given as a dict of values by key, not as {type(tags).__name__}.")
    return tuple(RegistryTag(key, str(value)) for key, value in given.items())
