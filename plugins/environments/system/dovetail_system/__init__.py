"""Run projects and models in the current Python environment."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dovetail import hookimpl
from dovetail_system.manager import SystemManager

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from dovetail.environments.manager import EnvManager

__all__ = ["SystemManager"]


@hookimpl
def dovetail_env_managers() -> Mapping[str, Callable[[], EnvManager]]:
    """What this plugin offers: one manager under two names."""
    return {"system": SystemManager, "local": SystemManager}
