"""Artifacts by what they belong to: a run, a logged model, or a version of a registered model."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, BinaryIO

from dovetail.artifacts.folder import ArtifactFolder
from dovetail.errors import InvalidInput
from dovetail.values.registry import check_version
from dovetail.wire.files import dump_file
from dovetail_server.artifact_paths import checked, named
from dovetail_server.checksums import Expected
from dovetail_server.downloads import sent
from dovetail_server.routing.answer import Answer, json
from dovetail_server.routing.fields import integer, text
from dovetail_server.routing.route import Routes, Way
from dovetail_server.sources import Sources
from dovetail_server.uploading import stored

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from concurrent.futures import Executor

    from dovetail_server.routing.asked import Asked

    Receive = Callable[[], Awaitable[Any]]

__all__ = ["ROUTES"]

_CALLS = ("/api/2.0/mlflow/", "/ajax-api/2.0/mlflow/")
_PAGES = "/ajax-api/2.0/mlflow/"
_RUN = (text("run_id"), text("run_uuid"))

ROUTES = Routes("")


def _call(verb: str, path: str, resource: str, *fields: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """As ``ROUTES.add``, for what clients and pages call."""

    def added(call: Callable[..., Any]) -> Callable[..., Any]:
        for base in _CALLS:
            ROUTES.add(verb, base + path, "read", resource, *fields)(call)
        return call

    return added


# --- listing --------------------------------------------------------------------------------------------------


@_call("GET", "artifacts/list", "run", *_RUN, text("path"), text("page_token"))
def artifacts_of_run(asked: Asked) -> dict[str, Any]:
    """What is in a folder of a run; the paths in the answer are relative to the run's artifacts."""
    return _listing(asked, _run_location(asked), asked["path"])


@_call(
    "GET",
    "logged-models/{model_id}/artifacts/directories",
    "logged_model",
    text("artifact_directory_path"),
    text("page_token"),
)
def artifacts_of_model(asked: Asked) -> dict[str, Any]:
    """What is in a folder of a logged model; the paths in the answer are relative to the model."""
    return _listing(asked, _model_location(asked), asked["artifact_directory_path"])


def _listing(asked: Asked, location: str, path: str | None) -> dict[str, Any]:
    if asked["page_token"]:
        raise InvalidInput("There is no such page: folders are listed as a whole.", hint="Leave out page_token.")
    files = [dump_file(each) for each in _folder(asked, location).list(checked(path))]
    return {"root_uri": asked.site.shown(location), **({"files": files} if files else {})}


# --- files ----------------------------------------------------------------------------------------------------


@ROUTES.add("GET", "/get-artifact", "read", "run", *_RUN, text("path", required=True), way=Way.STREAMING)
async def file_of_run(asked: Asked, receive: Receive, sending: Any, pool: Executor) -> Answer | None:
    """A file of a run, as an attachment."""

    def find() -> tuple[ArtifactFolder, str]:
        return _folder(asked, _run_location(asked)), checked(asked["path"])

    return await sent(asked, find, receive, sending, pool)


@ROUTES.add(
    "GET",
    f"{_PAGES}logged-models/{{model_id}}/artifacts/files",
    "read",
    "logged_model",
    text("artifact_file_path", required=True),
    way=Way.STREAMING,
)
async def file_of_model(asked: Asked, receive: Receive, sending: Any, pool: Executor) -> Answer | None:
    """A file of a logged model, as an attachment."""

    def find() -> tuple[ArtifactFolder, str]:
        return _folder(asked, _model_location(asked)), checked(asked["artifact_file_path"])

    return await sent(asked, find, receive, sending, pool)


@ROUTES.add(
    "GET",
    "/model-versions/get-artifact",
    "read",
    "model_version",
    text("name", required=True),
    text("version", required=True),
    text("path", required=True),
    way=Way.STREAMING,
)
async def file_of_version(asked: Asked, receive: Receive, sending: Any, pool: Executor) -> Answer | None:
    """A file of a version of a registered model, as an attachment."""

    def find() -> tuple[ArtifactFolder, str]:
        version = asked.site.registry.get_model_version(asked["name"], check_version(asked["version"]))
        return _folder(asked, Sources(asked.site).place(version)), checked(asked["path"])

    return await sent(asked, find, receive, sending, pool)


@ROUTES.add("POST", f"{_PAGES}upload-artifact", "update", "run", *_RUN, text("path"), way=Way.STREAMING)
async def put_into_run(asked: Asked, receive: Receive, sending: Any, pool: Executor) -> Answer | None:
    """Put the body in the place of a file of a run, as a whole or not at all."""
    del sending
    path, expected = named(asked["path"]), Expected.of(asked.headers)

    def find() -> Callable[[BinaryIO], None]:
        return partial(_folder(asked, _run_location(asked)).put, path)

    done = await stored(receive, expected, find, pool, asked.site.writers)
    return json({}) if done else None


# --- places that can only be reached through the server ---------------------------------------------------------


@_call("POST", "artifacts/presigned-upload-url", "run", *_RUN, text("model_id"), text("path"), integer("expiration"))
def presigned_upload(asked: Asked) -> dict[str, Any]:
    """A URL that leads straight to where a file is to lie: no store here offers that."""
    raise _unreachable(asked)


@_call("POST", "artifacts/presigned-download-url", "run", *_RUN, text("path"), integer("expiration"))
def presigned_download(asked: Asked) -> dict[str, Any]:
    """A URL that leads straight to where a file lies: no store here offers that."""
    raise _unreachable(asked)


def _unreachable(asked: Asked) -> InvalidInput:
    checked(asked["path"])
    location = _model_location(asked) if asked.fields.get("model_id") else _run_location(asked)
    return InvalidInput(
        f"Nobody can be sent past the server to {asked.site.shown(location)}.",
        hint="Send or fetch the file through the server, or at its place.",
    )


# --- where they lie -------------------------------------------------------------------------------------------


def _run_location(asked: Asked) -> str:
    return asked.site.tracking.get_run(asked.run_id).info.artifact_uri


def _model_location(asked: Asked) -> str:
    return asked.site.tracking.get_logged_model(asked["model_id"]).artifact_location


def _folder(asked: Asked, location: str) -> ArtifactFolder:
    return ArtifactFolder(asked.site.artifacts, asked.site.inside(location))
