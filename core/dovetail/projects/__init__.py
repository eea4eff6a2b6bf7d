"""Projects: folders of code that can be run by name with parameters."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dovetail import lazy

if TYPE_CHECKING:
    from dovetail.projects.launch import run
    from dovetail.projects.project import Project
    from dovetail.projects.submitted import SubmittedRun

__all__ = ["Project", "SubmittedRun", "run"]

_HOMES = {"Project": "project", "SubmittedRun": "submitted", "run": "launch"}

if not TYPE_CHECKING:
    __getattr__, __dir__ = lazy.attributes(__name__, _HOMES), lazy.names(__name__, _HOMES)
