"""The verbs of ``dovetail`` itself, where MLflow's scripts look for them too."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import dovetail

if TYPE_CHECKING:
    from dovetail import *  # noqa: F403 - all of them, without naming each once more

__all__ = [name for name in dovetail.__all__ if name.isidentifier() and not name.startswith("_")]

if not TYPE_CHECKING:

    def __getattr__(name: str) -> Any:
        """A verb, loaded when it is used."""
        if name in __all__:
            return getattr(dovetail, name)
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
