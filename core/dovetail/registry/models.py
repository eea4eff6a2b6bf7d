"""Fluent verbs for the model registry."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from dovetail import locations, uris
from dovetail.errors import NotFound
from dovetail.registry.registering import Registrar
from dovetail.tracking.client import Client
from dovetail.tracking.walking import walk

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dovetail.values import ModelVersion, RegisteredModel

__all__ = ["register_model", "search_model_versions", "search_registered_models", "set_model_version_tag"]

_MANIFEST = "MLmodel"


def register_model(
    model_uri: str | os.PathLike[str],
    name: str,
    await_registration_for: float | None = 300,
    *,
    tags: Mapping[str, Any] | None = None,
    description: str | None = None,
    run_link: str | None = None,
) -> ModelVersion:
    """Register a model as a new version under a name, which is created if it is new.

    Nothing is copied: the version says where the model is. First it is seen that there is one, so that nothing is
    registered by half; places that are neither on this machine nor known to the tracking store or registry are taken as
    they are.

    Args:
        model_uri: ``runs:/<run id>/<path>``, ``models:/<model id>``, a version such as ``models:/<name>/<version>``, a
            path, or the URI of a folder in an artifact store.
        name: The registered model; no slash and no colon.
        await_registration_for: Seconds to wait at most until a registry that takes its time has made it ready; None and
            0 do not wait.
        tags: Labels of the version.
        description: What the version is, for people.
        run_link: A page about the run, elsewhere.

    Returns:
        The version; ``version.version`` is its number.

    Raises:
        NotFound: There is no such run, logged model or version, or no model.
        InvalidInput: The name, the location, a tag or the time to wait breaks the rules.
        InvalidState: It failed, or is not ready in time.
    """
    client = Client()
    registrar = Registrar(client.store, client.registry)
    new = registrar.version_of(name, model_uri, tags=tags, description=description, run_link=run_link)
    _require_model(os.fspath(model_uri))
    return registrar.register(new, await_registration_for)


def _require_model(uri: str) -> None:
    """Refuse places where it can be seen that there is no model."""
    if uris.scheme_of(uri) not in ("file", "runs", "models"):
        return
    store, path = locations.locate(uri)
    wanted = f"{path}/{_MANIFEST}".lstrip("/")
    if not any(entry.path == wanted for entry in store.list(path)):
        raise NotFound(
            f"There is no model at {uris.masked(uri)}: it has no {_MANIFEST} file.",
            hint="Register what log_model or save_model made, by its model_uri or folder.",
        )


def search_registered_models(
    max_results: int | None = None,
    filter_string: str | None = None,
    order_by: Sequence[str] | None = None,
) -> list[RegisteredModel]:
    """Registered models that fit, by name unless told otherwise.

    Args:
        max_results: At most this many; by default all.
        filter_string: Such as ``name LIKE 'wine%' AND tags.team = 'a'``.
        order_by: Such as ``["last_updated_timestamp DESC"]``.

    Raises:
        InvalidFilter: The filter or the order cannot be read.
    """
    client = Client()
    return walk(lambda size, token: client.search_registered_models(filter_string, size, order_by, token), max_results)


def search_model_versions(
    max_results: int | None = None,
    filter_string: str | None = None,
    order_by: Sequence[str] | None = None,
) -> list[ModelVersion]:
    """Versions that fit, of all registered models, last updated first unless told otherwise.

    Args:
        max_results: At most this many; by default all.
        filter_string: Such as ``name = 'wine' AND version_number > 3``.
        order_by: Such as ``["version_number DESC"]``.

    Raises:
        InvalidFilter: The filter or the order cannot be read.
    """
    client = Client()
    return walk(lambda size, token: client.search_model_versions(filter_string, size, order_by, token), max_results)


def set_model_version_tag(
    name: str, version: int | str | None = None, key: str | None = None, value: Any = None
) -> None:
    """Set one tag of a version.

    Args:
        name: The registered model.
        version: The number of the version.
        key: The tag's name.
        value: Kept as text.

    Raises:
        NotFound: There is no such version.
        InvalidInput: The version or key is missing, or breaks the rules.
    """
    Client().set_model_version_tag(name, version, key, value)
