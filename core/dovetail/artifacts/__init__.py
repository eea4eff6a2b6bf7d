"""Artifacts: the files that runs leave behind.

The verbs that read them, such as ``dovetail.artifacts.download_artifacts``, know runs and therefore stand above the
rest of this package: they are looked up by name when they are first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from dovetail import lazy

if TYPE_CHECKING:
    from typing import Any

    from dovetail.tracking.artifact_reading import (
        download_artifacts,
        list_artifacts,
        load_dict,
        load_image,
        load_text,
    )

__all__ = ["download_artifacts", "list_artifacts", "load_dict", "load_image", "load_text"]

if not TYPE_CHECKING:
    _module = lazy.attributes(__name__, {})

    def __getattr__(name: str) -> Any:
        """Load a verb, or a module of this package, at its first use."""
        if name not in __all__:
            return _module(name)
        verb = globals()[name] = getattr(import_module("dovetail.tracking.artifact_reading"), name)
        return verb
