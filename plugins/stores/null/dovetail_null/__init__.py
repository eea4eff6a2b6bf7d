"""Tracking that keeps nothing: what is logged is checked and dropped, and only what runs are is remembered."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dovetail import hookimpl

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from dovetail.artifacts.store import ArtifactStore
    from dovetail.registry.store import RegistryStore
    from dovetail.tracking.store import TrackingStore
    from dovetail_null.registry import NullRegistryStore
    from dovetail_null.store import NullTrackingStore

__all__ = [
    "dovetail_artifact_stores",
    "dovetail_registry_stores",
    "dovetail_tracking_stores",
    "open_null",
    "open_null_registry",
]


def open_null(uri: str) -> NullTrackingStore:
    """A tracking store that keeps nothing.

    Args:
        uri: ``null:``; slashes behind it change nothing.

    Raises:
        InvalidUri: It has another form.
    """
    from dovetail_null.store import NullTrackingStore

    _require_placeless(uri)
    return NullTrackingStore()


def open_null_registry(uri: str) -> NullRegistryStore:
    """A registry that keeps nothing but what this process registered last.

    Args:
        uri: As ``open_null`` takes it.

    Raises:
        InvalidUri: It has another form.
    """
    from dovetail_null.registry import NullRegistryStore

    _require_placeless(uri)
    return NullRegistryStore()


def _require_placeless(uri: str) -> None:
    from dovetail import uris
    from dovetail.errors import InvalidUri

    if uri.lower().rstrip("/") != "null:":
        raise InvalidUri(f"{uris.masked(uri)!r} names a place, and null: has none.", hint="Write null:")


@hookimpl
def dovetail_tracking_stores() -> Mapping[str, Callable[[str], TrackingStore]]:
    """The scheme ``null``."""
    return {"null": open_null}


@hookimpl
def dovetail_registry_stores() -> Mapping[str, Callable[[str], RegistryStore]]:
    """The scheme ``null``."""
    return {"null": open_null_registry}


@hookimpl
def dovetail_artifact_stores() -> Mapping[str, Callable[[str], ArtifactStore]]:
    """The scheme ``null``, which the runs of the tracking store name as their place."""
    from dovetail_null.artifacts import NullArtifactStore

    return {"null": NullArtifactStore}
