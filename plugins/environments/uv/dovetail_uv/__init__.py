"""Project and model environments made by uv."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dovetail import hookimpl
from dovetail_uv.manager import UvManager

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from dovetail.environments.manager import EnvManager

__all__ = ["UvManager"]


@hookimpl
def dovetail_env_managers() -> Mapping[str, Callable[[], EnvManager]]:
    """What this plugin offers."""
    return {"uv": UvManager}
