"""The folders that belong to the user and not to a project."""

from __future__ import annotations

import os
from pathlib import Path

from dovetail import settings

__all__ = ["state_folder"]


def state_folder() -> Path:
    """Where lies what must outlive a process and no cache may lose: the setting ``state_dir``, or the user's folder."""
    if chosen := settings.get("state_dir"):
        return Path(chosen).expanduser().absolute()
    base = os.environ.get("XDG_STATE_HOME")
    return (Path(base) if base else Path.home() / ".local" / "state") / "dovetail"
