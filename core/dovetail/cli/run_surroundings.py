"""What surrounded a run, for people: the state of its code, and the files that are kept of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dovetail.cli import output
from dovetail.errors import DovetailError, NotFound
from dovetail.tracking.artifact_files import ArtifactFiles
from dovetail.tracking.surroundings import FOLDER

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dovetail.values import FileInfo, Run

__all__ = ["code_of", "kept_with"]

GIT = "mlflow.source.git."


def code_of(tags: Mapping[str, str]) -> str:
    """The commit, with the branch, and whether it is all of the code; empty where none is known."""
    commit, branch = tags.get(f"{GIT}commit", ""), tags.get(f"{GIT}branch")
    changes = "with uncommitted changes" if tags.get(f"{GIT}dirty") == "True" else ""
    return " ".join(filter(None, [commit, f"on {branch}" if branch else "", changes])) if commit else ""


def kept_with(run: Run) -> str:
    """The files of its output, and of what ``log_environment`` keeps; empty where there are none."""
    try:
        files = ArtifactFiles(run.info.artifact_uri)
        return ", ".join(each.path for folder in ("logs", FOLDER) for each in _listed(files, folder) if not each.is_dir)
    except DovetailError as error:
        return f"unknown, since its artifacts cannot be listed: {output.one_line(error.message)}"


def _listed(files: ArtifactFiles, folder: str) -> list[FileInfo]:
    try:
        return files.list(folder)
    except NotFound:
        return []
