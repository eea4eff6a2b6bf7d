"""About the server itself: whether it is well, its version, what it has counted, what it answers to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dovetail import __version__
from dovetail_server.routing.answer import Answer, plain
from dovetail_server.routing.route import Routes, Way

if TYPE_CHECKING:
    from dovetail_server.routing.asked import Asked

__all__ = ["ROUTES"]

MLFLOW = "3.17.2"
"""The version of MLflow whose wire this is: clients ask for it before they use what is newer."""

ROUTES = Routes("")


@ROUTES.add("GET", "/", "read", "server", way=Way.AT_ONCE)
def root(asked: Asked) -> Answer:
    """What this is, for whoever opens it in a browser."""
    del asked
    return plain(f"dovetail {__version__}: a tracking server, without pages to look at yet. /openapi.json says more.\n")


@ROUTES.add("GET", "/health", "read", "server", way=Way.AT_ONCE)
def health(asked: Asked) -> Answer:
    """Whether the server answers."""
    del asked
    return plain("OK")


@ROUTES.add("GET", "/version", "read", "server", way=Way.AT_ONCE)
def version(asked: Asked) -> Answer:
    """The version of MLflow whose wire is spoken."""
    del asked
    return plain(MLFLOW)


@ROUTES.add("GET", "/metrics", "read", "server", way=Way.AT_ONCE)
def metrics(asked: Asked) -> Answer:
    """What the server has counted, as Prometheus reads it."""
    return plain(asked.site.measures.text(asked.site.committer), kind="text/plain; version=0.0.4; charset=utf-8")


@ROUTES.add("GET", "/openapi.json", "read", "server", way=Way.AT_ONCE)
def openapi(asked: Asked) -> dict[str, Any]:
    """This description of all routes."""
    from dovetail_server.openapi import document

    return document(asked.site.routes, __version__)


@ROUTES.add("GET", "/api/3.0/mlflow/server-info", "read", "server", way=Way.AT_ONCE)
@ROUTES.add("GET", "/ajax-api/3.0/mlflow/server-info", "read", "server", way=Way.AT_ONCE)
def server_info(asked: Asked) -> dict[str, Any]:
    """What the server can do, in the words of MLflow 3."""
    del asked
    return {
        "store_type": "SqlStore",
        "workspaces_enabled": False,
        "trace_archival_enabled": False,
        "multipart_uploads_enabled": False,
        "multipart_downloads_enabled": False,
        "presigned_upload_run_id_supported": False,
        "presigned_upload_model_id_supported": False,
        "features_enabled": [],
    }
