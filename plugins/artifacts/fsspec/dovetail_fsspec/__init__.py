"""Artifacts on local disk, in memory, and behind any fsspec file system."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dovetail.hookspecs import hookimpl

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from dovetail.artifacts.store import ArtifactStore

__all__ = ["dovetail_artifact_stores"]


@hookimpl
def dovetail_artifact_stores() -> Mapping[str, Callable[[str], ArtifactStore]]:
    """``file`` for this machine's disk, and fsspec for everything that nobody else claims."""
    from dovetail_fsspec.local import LocalArtifactStore
    from dovetail_fsspec.store import FsspecArtifactStore

    return {"file": LocalArtifactStore, "memory": FsspecArtifactStore, "*": FsspecArtifactStore}
