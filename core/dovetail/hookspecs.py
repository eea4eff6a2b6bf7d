"""The contract between the core and its plugins.

Three shapes: *named things come back as a mapping, questions are firstresult, news goes to everyone.*
A plugin implements the hooks it needs with ``dovetail.hookimpl`` and may leave out arguments it has no use for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pluggy

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from dovetail.artifacts.store import ArtifactStore
    from dovetail.datasets.source import DatasetSource
    from dovetail.environments.manager import EnvManager
    from dovetail.models.flavor import Flavor
    from dovetail.projects.backend import Backend
    from dovetail.projects.served import Served
    from dovetail.registry.store import RegistryStore
    from dovetail.tracking.store import TrackingStore
    from dovetail.values import Event, Run

__all__ = ["hookimpl", "hookspec"]

hookspec = pluggy.HookspecMarker("dovetail")
hookimpl = pluggy.HookimplMarker("dovetail")


# --- named things: key -> factory; only the plugin that claims the key is asked ------------------------------


@hookspec
def dovetail_tracking_stores() -> Mapping[str, Callable[[str], TrackingStore]]:  # type: ignore[empty-body]
    """Tracking stores by URI scheme; a factory takes the URI."""


@hookspec
def dovetail_registry_stores() -> Mapping[str, Callable[[str], RegistryStore]]:  # type: ignore[empty-body]
    """Registry stores by URI scheme; a factory takes the URI."""


@hookspec
def dovetail_artifact_stores() -> Mapping[str, Callable[[str], ArtifactStore]]:  # type: ignore[empty-body]
    """Artifact stores by URI scheme; a factory takes the URI. The key ``*`` takes what nobody else claims."""


@hookspec
def dovetail_env_managers() -> Mapping[str, Callable[[], EnvManager]]:  # type: ignore[empty-body]
    """Environment managers by name."""


@hookspec
def dovetail_backends() -> Mapping[str, Callable[[], Backend]]:  # type: ignore[empty-body]
    """Execution backends by name."""


@hookspec
def dovetail_flavors() -> Mapping[str, Callable[[], Flavor]]:  # type: ignore[empty-body]
    """Model flavors by key."""


@hookspec
def dovetail_autologgers() -> Mapping[str, Callable[[], Any]]:  # type: ignore[empty-body]
    """Autologgers by the key of their flavor."""


@hookspec
def dovetail_commands() -> Mapping[str, Any]:  # type: ignore[empty-body]
    """Typer apps by command name; they appear beside the built-in command groups."""


@hookspec
def dovetail_deployment_targets() -> Mapping[str, Callable[..., Any]]:  # type: ignore[empty-body]
    """Deployment targets by name."""


@hookspec
def dovetail_dataset_sources() -> Mapping[str, type[DatasetSource]]:  # type: ignore[empty-body]
    """Classes of dataset sources by their source type, the word that stores keep beside what a source writes."""


@hookspec
def dovetail_evaluators() -> Mapping[str, Callable[..., Any]]:  # type: ignore[empty-body]
    """Model evaluators by name."""


@hookspec
def dovetail_samplers() -> Mapping[str, Callable[..., Any]]:  # type: ignore[empty-body]
    """Samplers of parameter sweeps by name."""


# --- questions: the first answer that is not None holds -------------------------------------------------------


@hookspec(firstresult=True)
def dovetail_fetch_project(uri: str, version: str | None, destination: Path) -> Path | None:
    """Bring a project that is not a local folder to ``destination``; answer the project's folder."""


@hookspec(firstresult=True)
def dovetail_serve(tracking_uri: str, registry_uri: str) -> Served | None:
    """Serve stores to a program on this machine that speaks MLflow's wire alone, for as long as it runs."""


@hookspec(firstresult=True)
def dovetail_authenticate(request: Any) -> Any:
    """Who sends this request to a server? None if this plugin cannot tell."""


@hookspec(firstresult=True)
def dovetail_authorize(principal: Any, action: str, resource: str) -> bool | None:
    """May the principal do this? None leaves the decision to others; nobody deciding means no."""


# --- news and collections: everyone is asked ------------------------------------------------------------------


@hookspec
def dovetail_run_tags() -> Mapping[str, str] | None:
    """Tags for a run that is about to start, from what surrounds the process."""


@hookspec
def dovetail_request_headers(uri: str) -> Mapping[str, str] | None:
    """Headers for requests to the server at this address."""


@hookspec
def dovetail_run_started(run: Run) -> None:
    """A run was started or taken up again in this process."""


@hookspec
def dovetail_run_ended(run: Run) -> None:
    """A run was ended in this process."""


@hookspec
def dovetail_event(event: Event) -> None:
    """Something happened in a store: a run's batch is in it now, told in order and before the run's end is told."""


@hookspec
def dovetail_routes() -> Sequence[Any] | None:
    """Routes to add to a server."""
