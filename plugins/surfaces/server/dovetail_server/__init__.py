"""The tracking server: MLflow's wire and dovetail's own calls over HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dovetail import hookimpl

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__: list[str] = []


@hookimpl
def dovetail_commands() -> Mapping[str, Any]:
    """The command ``server``."""
    from dovetail_server.command import app

    return {"server": app}
