"""Which environment manager prepares an environment."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dovetail import plugins, settings

if TYPE_CHECKING:
    from dovetail.environments.manager import EnvManager

__all__ = ["default_manager", "env_manager"]

PREFERRED = ("uv", "virtualenv")


def default_manager() -> str:
    """The manager to use when nobody says which: the setting's, else the first isolating one that is installed.

    Without any of them the answer is ``uv``, so that the error says what to install: running a project outside the
    environment it names happens only when it is asked for.
    """
    if chosen := settings.get("env_manager"):
        return str(chosen)
    offered = plugins.offers("env_managers")
    return next((name for name in PREFERRED if name in offered), PREFERRED[0])


def env_manager(name: str) -> EnvManager:
    """The environment manager of that name. Raises ``PluginMissing``."""
    manager: EnvManager = plugins.find("env_managers", name)()
    return manager
