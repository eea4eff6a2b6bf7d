"""Params and tags from whatever people pass."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dovetail import settings
from dovetail.values import Param, Tag

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["as_params", "as_tags", "param", "tag"]

# Below this no limit is near, and the setting need not be looked up: that reads files, and this is a hot path.
_SURELY_SHORT = 6000


def param(key: str, value: Any) -> Param:
    """A param from any value, cut or refused by the setting where it is too long."""
    text = str(value)
    return (
        Param(key, text)
        if len(text) <= _SURELY_SHORT
        else Param.of(key, text, cut=settings.get("truncate_long_values"))
    )


def tag(key: str, value: Any) -> Tag:
    """A tag from any value, cut or refused by the setting where it is too long."""
    text = str(value)
    return Tag(key, text) if len(text) <= _SURELY_SHORT else Tag.of(key, text, cut=settings.get("truncate_long_values"))


def as_params(params: Mapping[str, Any]) -> tuple[Param, ...]:
    """Params from a mapping."""
    return tuple(param(key, value) for key, value in params.items())


def as_tags(tags: Mapping[str, Any] | None) -> tuple[Tag, ...]:
    """Tags from a mapping; None means none."""
    return tuple(tag(key, value) for key, value in (tags or {}).items())
