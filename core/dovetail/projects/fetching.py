"""Getting at a project's folder."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from dovetail import plugins, uris
from dovetail.errors import InvalidProject

__all__ = ["fetch", "source_name"]


def fetch(uri: str | os.PathLike[str], version: str | None = None) -> Path:
    """The folder of a project: a local one as it is, others as a plugin fetches them.

    Raises:
        InvalidProject: It is no folder, or no plugin knows how to fetch it.
    """
    base, fragment = uris.split_fragment(os.fspath(uri))
    folder = _local_folder(base, version) or _fetched(base, version)
    inside = folder / uris.artifact_path(fragment, "subfolder of the project") if fragment else folder
    if not inside.is_dir():
        raise InvalidProject(
            f"Project {uris.masked(base)} has no folder {fragment}.", hint="What stands behind # is a subfolder of it."
        )
    return inside


def source_name(uri: str | os.PathLike[str]) -> str:
    """What a run keeps as its source: for a local project its folder, whatever the working folder was."""
    base, fragment = uris.split_fragment(os.fspath(uri))
    if _looks_remote(base):
        return uris.masked(os.fspath(uri))
    return f"{uris.path_of(base)}{'#' if fragment else ''}{fragment}"


def _local_folder(base: str, version: str | None) -> Path | None:
    if _looks_remote(base):
        return None
    path = uris.path_of(base)
    if not path.is_dir():
        raise InvalidProject(
            f"There is no project folder {path}.", hint="Give a folder, or a location a plugin can fetch."
        )
    if version is not None:
        raise InvalidProject(
            f"{path} is a local folder; a version can only be chosen for projects that are fetched.",
            hint="Check the version out yourself, or leave --version out.",
        )
    return path


def _fetched(base: str, version: str | None) -> Path:
    scratch = Path(tempfile.mkdtemp(prefix="dovetail-project-"))
    folder = plugins.ask("dovetail_fetch_project", uri=base, version=version, destination=scratch)
    if folder is None:
        scratch.rmdir()
        raise InvalidProject(
            f"No plugin can fetch a project from {uris.masked(base)}.", hint="Clone it yourself and give the folder."
        )
    return Path(folder)


def _looks_remote(base: str) -> bool:
    """Whether it is a place elsewhere; ``git@host:path`` is one too, although it has no scheme."""
    if not uris.is_local(base):
        return True
    return ":" in base and not base.lower().startswith("file:") and not Path(base).exists()
