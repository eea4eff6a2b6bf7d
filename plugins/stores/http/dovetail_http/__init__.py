"""Experiments, runs, metrics and registered models on a server of dovetail's or MLflow's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dovetail import hookimpl

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from dovetail.artifacts.store import ArtifactStore
    from dovetail.registry.store import RegistryStore
    from dovetail.tracking.store import TrackingStore

__all__ = [
    "dovetail_artifact_stores",
    "dovetail_registry_stores",
    "dovetail_tracking_stores",
    "open_registry",
    "open_tracking",
]


def open_tracking(uri: str) -> TrackingStore:
    """The tracking store behind a server; it is asked for nothing until the store is used.

    Args:
        uri: ``http://host:port`` or ``https://…``, maybe with a path that everything there begins with, and with
            ``user:password@`` before the host.

    Raises:
        InvalidUri: It has another form.
    """
    from dovetail_http.tracking import HttpTracking

    return HttpTracking(uri)


def open_registry(uri: str) -> RegistryStore:
    """The model registry behind a server.

    Args:
        uri: As ``open_tracking`` takes it.

    Raises:
        InvalidUri: It has another form.
    """
    from dovetail_http.registry import HttpRegistry

    return HttpRegistry(uri)


@hookimpl
def dovetail_tracking_stores() -> Mapping[str, Callable[[str], TrackingStore]]:
    """The schemes ``http`` and ``https``."""
    return {"http": open_tracking, "https": open_tracking}


@hookimpl
def dovetail_registry_stores() -> Mapping[str, Callable[[str], RegistryStore]]:
    """The schemes ``http`` and ``https``."""
    return {"http": open_registry, "https": open_registry}


@hookimpl
def dovetail_artifact_stores() -> Mapping[str, Callable[[str], ArtifactStore]]:
    """Artifacts that a server passes on."""
    from dovetail_http.artifacts import MlflowArtifacts

    return {"mlflow-artifacts": MlflowArtifacts}
