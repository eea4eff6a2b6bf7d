"""Where artifacts are: from any location people write to the store that holds it."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from dovetail import plugins, uris
from dovetail.errors import InvalidUri
from dovetail.tracking import places

if TYPE_CHECKING:
    from dovetail.artifacts.store import ArtifactStore
    from dovetail.tracking.store import TrackingStore

__all__ = ["artifact_store", "check_readable", "locate", "run_artifacts", "split_run_uri"]


def artifact_store(uri: str) -> ArtifactStore:
    """The artifact store rooted at a URI.

    Raises:
        PluginMissing: No plugin answers for the scheme.
    """
    store: ArtifactStore = plugins.find("artifact_stores", uris.scheme_of(uri))(uri)
    return store


def run_artifacts(run_id: str, store: TrackingStore | None = None) -> ArtifactStore:
    """The artifact store of a run.

    Args:
        run_id: The run.
        store: The tracking store that knows it; by default the one in force.
    """
    return artifact_store((store or places.tracking_store()).get_run(run_id).info.artifact_uri)


def locate(uri: str, store: TrackingStore | None = None) -> tuple[ArtifactStore, str]:
    """The artifact store and the path in it that a location names.

    Args:
        uri: ``runs:/<run id>/<path>``, a local path, or the URI of a file or folder in any artifact store.
        store: The tracking store that resolves run ids; by default the one in force.

    Raises:
        InvalidUri: It cannot be read as a location.
        NotFound: There is no such run.
    """
    check_readable(uri)
    scheme = uris.scheme_of(uri)
    if scheme == "runs":
        run_id, path = split_run_uri(uri)
        return run_artifacts(run_id, store), path
    if scheme == "file":
        # The place itself, where links have led: the store lets nobody out of its root by one.
        local = uris.path_of(uri).resolve()
        return artifact_store(uris.uri_of(local.parent)), local.name
    if uri.partition("://")[2].strip("/").count("/") == 0:  # nothing below the bucket or host
        return artifact_store(uri), ""
    base, _, name = uri.rstrip("/").rpartition("/")
    return artifact_store(base), uris.artifact_path(name)


def check_readable(uri: str) -> None:
    """Refuse ``models:/<name>/<version>``, which names a place in a model registry.

    Raises:
        InvalidUri: It is such a URI.
    """
    if uris.scheme_of(uri) == "models":
        raise InvalidUri(
            f"{uris.masked(uri)!r} names a model in a model registry, and this version of dovetail has none.",
            hint="Name the model by where it was logged: runs:/<run id>/<path>.",
        )


def split_run_uri(uri: str) -> tuple[str, str]:
    """The run id and artifact path of a ``runs:/<run id>/<path>`` URI.

    Raises:
        InvalidUri: It has no run id, or the path leads elsewhere.
    """
    parts = PurePosixPath(uri.split(":", 1)[1].lstrip("/")).parts
    if not parts or uri.startswith("runs://"):
        raise InvalidUri(f"{uris.masked(uri)!r} names no run.", hint="Write runs:/<run id>/<path>.")
    return parts[0], uris.artifact_path("/".join(parts[1:]))
