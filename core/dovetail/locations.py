"""Where artifacts are: from any location people write to the store that holds it."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from dovetail import plugins, uris
from dovetail.artifacts.folder import ArtifactFolder
from dovetail.errors import InvalidUri, PluginMissing
from dovetail.registry.finding import named_version
from dovetail.registry.model_uri import ModelUri
from dovetail.tracking import places
from dovetail.tracking.made_models import made_model

if TYPE_CHECKING:
    from dovetail.artifacts.store import ArtifactStore
    from dovetail.registry.store import RegistryStore
    from dovetail.tracking.store import TrackingStore

__all__ = ["artifact_store", "locate", "location_of", "run_artifacts", "split_run_uri"]

# A version may be registered from another one, and that from a third; nobody does so more often than this.
_LONGEST_CHAIN = 20


def artifact_store(uri: str, store: TrackingStore | None = None) -> ArtifactStore:
    """The artifact store rooted at a URI.

    Args:
        uri: The URI.
        store: The tracking store that says it of something; what it says of nobody else is at the one in force.

    Raises:
        PluginMissing: No plugin answers for the scheme.
    """
    place = uri if store is None else store.artifact_place(uri)
    artifacts: ArtifactStore = plugins.find("artifact_stores", uris.scheme_of(place))(place)
    return artifacts


def run_artifacts(run_id: str, store: TrackingStore | None = None) -> ArtifactStore:
    """The artifact store of a run.

    Args:
        run_id: The run.
        store: The tracking store that knows it; by default the one in force.
    """
    store = store or places.tracking_store()
    return artifact_store(store.get_run(run_id).info.artifact_uri, store)


def locate(
    uri: str, store: TrackingStore | None = None, registry: RegistryStore | None = None
) -> tuple[ArtifactStore, str]:
    """The artifact store and the path in it that a location names.

    Args:
        uri: ``runs:/<run id>/<path>``, also where the path begins with the name of a logged model that the run made; a
            model of a registry such as ``models:/<name>/<version>``, a logged model ``models:/<model id>``, a local
            path, or the URI of a file or folder in any artifact store.
        store: The tracking store that resolves run and model ids; by default the one in force.
        registry: The model registry; by default the one in force beside that tracking store.

    Raises:
        InvalidUri: It cannot be read as a location.
        NotFound: There is no such run, model or version.
    """
    scheme = uris.scheme_of(uri)
    if scheme == "runs":
        return _in_run(*split_run_uri(uri), store or places.tracking_store())
    if scheme == "models":
        model = ModelUri.parse(uri)
        root, folder = locate(*_files_of(model, store, registry))
        return (ArtifactFolder(root, folder) if folder else root), model.path
    if scheme == "file":
        # The place itself, where links have led: the store lets nobody out of its root by one.
        local = uris.path_of(uri).resolve()
        return artifact_store(uris.uri_of(local.parent)), local.name
    if uri.partition("://")[2].strip("/").count("/") == 0:  # nothing below the bucket or host
        return artifact_store(uri, store), ""
    base, _, name = uri.rstrip("/").rpartition("/")
    return artifact_store(base, store), uris.artifact_path(name)


def location_of(uri: str, store: TrackingStore | None = None, registry: RegistryStore | None = None) -> str:
    """The URI of a place in an artifact store that a location names, whether there is anything or not.

    Args:
        uri: As for ``locate``, which also says what is raised.
        store: As for ``locate``.
        registry: As for ``locate``.
    """
    scheme = uris.scheme_of(uri)
    if scheme == "runs":
        run_id, path = split_run_uri(uri)
        store = store or places.tracking_store()
        run = store.get_run(run_id)
        made = made_model(store, run, artifact_store(run.info.artifact_uri, store), path)
        return uris.join(run.info.artifact_uri, path) if made is None else uris.join(made[0].artifact_location, made[1])
    if scheme == "models":
        model = ModelUri.parse(uri)
        return uris.join(location_of(*_files_of(model, store, registry)), model.path)
    return uris.uri_of(uris.path_of(uri)) if scheme == "file" else uri


def _in_run(run_id: str, path: str, store: TrackingStore) -> tuple[ArtifactStore, str]:
    run = store.get_run(run_id)
    artifacts = artifact_store(run.info.artifact_uri, store)
    if (made := made_model(store, run, artifacts, path)) is None:
        return artifacts, path
    root, folder = locate(made[0].artifact_location, store)
    return (ArtifactFolder(root, folder) if folder else root), made[1]


def _files_of(
    model: ModelUri, store: TrackingStore | None, registry: RegistryStore | None
) -> tuple[str, TrackingStore | None]:
    """Where a model's files lie, which is no ``models:`` URI any more, and the tracking store that resolves it."""
    below, registered = "", False
    for _ in range(_LONGEST_CHAIN):
        if model.model_id is not None:
            # What is registered can be used as long as its files are there, and gc keeps them.
            known = (store or places.tracking_store()).get_logged_model
            logged = known(model.model_id, allow_deleted=registered)
            return uris.join(logged.artifact_location, below), store
        registry = registry or places.registry_store(store.uri if store else None)
        source, registered = named_version(registry, model).source, True
        if uris.scheme_of(source) not in ("runs", "models"):
            return uris.join(source, below), store
        store = _tracking_beside(registry, store)
        if uris.scheme_of(source) == "runs":
            return uris.join(source, below), store
        model = ModelUri.parse(source)
        below = f"{model.path}/{below}".strip("/")
    raise InvalidUri(f"Registered model {model.name!r} leads to no files, only from version to version.")


def _tracking_beside(registry: RegistryStore, store: TrackingStore | None) -> TrackingStore | None:
    """The tracking store that the sources of a registry's versions speak of: the one at the same place.

    Where runs are tracked elsewhere, versions are registered by the places of their files, which need none.
    """
    if store is not None and store.uri == registry.uri:
        return store
    try:
        return places.open_store(registry.uri)
    except PluginMissing:  # a place that only keeps models
        return store


def split_run_uri(uri: str) -> tuple[str, str]:
    """The run id and artifact path of a ``runs:/<run id>/<path>`` URI.

    Raises:
        InvalidUri: It has no run id, or the path leads elsewhere.
    """
    parts = PurePosixPath(uri.split(":", 1)[1].lstrip("/")).parts
    if not parts or uri.startswith("runs://"):
        raise InvalidUri(f"{uris.masked(uri)!r} names no run.", hint="Write runs:/<run id>/<path>.")
    return parts[0], uris.artifact_path("/".join(parts[1:]))
