"""Projects: folders of code that can be run by name with parameters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dovetail.projects.launch import run
    from dovetail.projects.project import Project
    from dovetail.projects.submitted import SubmittedRun

__all__ = ["Project", "SubmittedRun", "run"]

_HOMES = {"Project": "project", "SubmittedRun": "submitted", "run": "launch"}


def __getattr__(name: str) -> Any:
    """Load a public name at its first use."""
    from importlib import import_module

    if name not in _HOMES:
        raise AttributeError(f"module 'dovetail.projects' has no attribute {name!r}")
    return getattr(import_module(f"dovetail.projects.{_HOMES[name]}"), name)
