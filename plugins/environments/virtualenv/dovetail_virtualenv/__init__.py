"""Project and model environments made by virtualenv and pip, with the Pythons of pyenv."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dovetail import hookimpl
from dovetail_virtualenv.manager import VirtualenvManager

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from dovetail.environments.manager import EnvManager

__all__ = ["VirtualenvManager"]


@hookimpl
def dovetail_env_managers() -> Mapping[str, Callable[[], EnvManager]]:
    """What this plugin offers."""
    return {"virtualenv": VirtualenvManager}
