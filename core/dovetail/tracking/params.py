"""Params are written once: what becomes of those of a run or logged model when more are logged."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dovetail.errors import ParamConflict

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from dovetail.values import Param

__all__ = ["with_params"]


def with_params(held: Mapping[str, str], params: Iterable[Param], owner: str) -> dict[str, str]:
    """The params that are held and these.

    Args:
        held: Values by key.
        params: What is logged.
        owner: Whose they are, for messages.

    Raises:
        ParamConflict: A param of that key has another value.
    """
    kept = dict(held)
    for param in params:
        if kept.setdefault(param.key, param.value) != param.value:
            raise ParamConflict(
                f"Param {param.key!r} of {owner} is {kept[param.key]!r}, not {param.value!r}.",
                hint="Params are written once; use another key, or a tag.",
            )
    return kept
