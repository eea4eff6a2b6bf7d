"""Run projects as processes on this machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dovetail import hookimpl
from dovetail_local.backend import LocalBackend

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from dovetail.projects.backend import Backend

__all__ = ["LocalBackend"]


@hookimpl
def dovetail_backends() -> Mapping[str, Callable[[], Backend]]:
    """What this plugin offers."""
    return {"local": LocalBackend}
