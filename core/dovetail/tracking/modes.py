"""What the setting ``mode`` makes of a place: the place itself, a folder with the user instead of it, or nothing."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from dovetail import plugins, settings, uris
from dovetail.errors import InvalidState, PluginMissing
from dovetail.tracking.offline import folder_for

if TYPE_CHECKING:
    from dovetail.tracking.store import TrackingStore

__all__ = ["instead_of", "is_online", "is_there", "opened", "registry_instead_of"]


def instead_of(uri: str) -> str:
    """Where what is meant for a place goes: in the mode ``online`` there, else as the mode says.

    Args:
        uri: The place's, absolute.
    """
    mode = settings.get("mode")
    if mode == "offline":
        return folder_for(uri).uri
    return "null:" if mode == "disabled" else uri


def is_online() -> bool:
    """Whether places are what they are called."""
    online: bool = settings.get("mode") == "online"
    return online


def opened(uri: str) -> TrackingStore:
    """The store that a place's mode asks for.

    Args:
        uri: As ``instead_of`` gives it.

    Raises:
        PluginMissing: Nothing installed answers for it.
    """
    store: TrackingStore = _found("tracking_stores", uri)(uri)
    return store


def is_there(uri: str) -> bool:
    """Whether a store may be at an absolute URI: a file or folder that is missing holds none, and is not made here."""
    scheme = uris.scheme_of(uri)
    path = unquote(urlsplit(uri).path)
    if scheme == "sqlite":
        path = path.removeprefix("/")
    # ``:memory:`` and the like are no paths.
    return scheme not in ("sqlite", "dir") or not path.startswith("/") or os.path.exists(path)  # noqa: PTH110


def registry_instead_of(uri: str) -> str:
    """Where models are registered that belong where runs are tracked.

    Raises:
        InvalidState: Nothing is registered offline.
    """
    mode = settings.get("mode")
    if mode == "offline":
        raise InvalidState(
            f"Models cannot be registered at {uris.masked(uri)} now: {settings.origin('mode')} says offline.",
            hint="Log the model now, and register it when `dovetail sync` has sent it; or set DOVETAIL_REGISTRY_URI to "
            "a registry on this machine.",
        )
    if mode == "disabled":
        _found("registry_stores", "null:")
        return "null:"
    return uri


def _found(kind: str, uri: str) -> Any:
    """The factory for a URI; where the mode chose it, what is missing is explained by the mode."""
    scheme = uris.scheme_of(uri)
    wanted = {"dir": ("offline", "dovetail-file"), "null": ("disabled", "dovetail-null")}.get(scheme)
    mode = settings.get("mode")
    try:
        return plugins.find(kind, scheme)
    except PluginMissing as error:
        if wanted is None or wanted[0] != mode:
            raise
        from dovetail.install_hint import how_to_install

        raise PluginMissing(
            f"The mode {mode!r}, set by {settings.origin('mode')}, needs a plugin that is not installed: {wanted[1]}.",
            hint=how_to_install(wanted[1]),
        ) from error
