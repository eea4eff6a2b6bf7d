"""Artifacts that go through the server: listing, downloading, uploading and deleting them, by path."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from dovetail.artifacts.folder import ArtifactFolder
from dovetail.errors import InvalidInput, NotFound
from dovetail.wire.files import dump_file
from dovetail_server.artifact_paths import checked, named
from dovetail_server.checksums import Expected
from dovetail_server.downloads import sent
from dovetail_server.routing.answer import Answer, Unsupported, json
from dovetail_server.routing.fields import integer, objects, text
from dovetail_server.routing.route import Routes, Way
from dovetail_server.uploading import stored

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from concurrent.futures import Executor

    from dovetail.artifacts.store import ArtifactStore
    from dovetail_server.routing.asked import Asked

__all__ = ["ROUTES"]

ROUTES = Routes("/api/2.0/mlflow-artifacts/", "/ajax-api/2.0/mlflow-artifacts/")


@ROUTES.add("GET", "artifacts", "read", "artifact", text("path"))
def listed(asked: Asked) -> dict[str, Any]:
    """What is in a folder; the paths in the answer are relative to it."""
    folder = ArtifactFolder(asked.site.artifacts, checked(asked["path"]))
    files = [dump_file(each) for each in folder.list()]
    return {"files": files} if files else {}


@ROUTES.add("GET", "artifacts/{path*}", "read", "artifact", way=Way.STREAMING)
async def downloaded(
    asked: Asked, receive: Callable[[], Awaitable[Any]], sending: Any, pool: Executor
) -> Answer | None:
    """The content of a file, or of the part of it that ``Range`` names."""

    def find() -> tuple[ArtifactStore, str]:
        return asked.site.artifacts, checked(asked["path"])

    return await sent(asked, find, receive, sending, pool)


@ROUTES.add("PUT", "artifacts/{path*}", "update", "artifact", way=Way.STREAMING)
async def uploaded(asked: Asked, receive: Callable[[], Awaitable[Any]], sending: Any, pool: Executor) -> Answer | None:
    """Put the body in the place of a file, as a whole or not at all."""
    del sending
    path, expected = named(asked["path"]), Expected.of(asked.headers)
    done = await stored(receive, expected, lambda: partial(asked.site.artifacts.put, path), pool, asked.site.writers)
    return json({}) if done else None


@ROUTES.add("DELETE", "artifacts/{path*}", "delete", "artifact")
def deleted(asked: Asked) -> dict[str, Any]:
    """Delete a file, or a folder with everything in it; what is not there counts as deleted."""
    path = checked(asked["path"])
    if not path:
        raise InvalidInput("Invalid path: all artifacts of a server are not deleted at once.", hint="Name a folder.")
    try:
        asked.site.artifacts.delete(path)
    except NotFound:  # clients that clean up expect no error of what is clean
        return {}
    return {}


# --- what is not offered --------------------------------------------------------------------------------------


@ROUTES.add("POST", "mpu/create/{place*}", "update", "artifact", text("path"), integer("num_parts"))
def multipart_begun(asked: Asked) -> dict[str, Any]:
    """Begin an upload in parts straight to where artifacts lie: no store here offers that; send one request."""
    raise _unsupported(asked)


@ROUTES.add("POST", "mpu/complete/{place*}", "update", "artifact", text("path"), text("upload_id"), objects("parts"))
def multipart_completed(asked: Asked) -> dict[str, Any]:
    """Complete such an upload: not offered, either."""
    raise _unsupported(asked)


@ROUTES.add("POST", "mpu/abort/{place*}", "update", "artifact", text("path"), text("upload_id"))
def multipart_aborted(asked: Asked) -> dict[str, Any]:
    """Give up such an upload: not offered, either."""
    raise _unsupported(asked)


@ROUTES.add("GET", "presigned/{place*}", "read", "artifact")
def presigned(asked: Asked) -> dict[str, Any]:
    """A URL that leads straight to where a file lies: no store here offers that."""
    raise _unsupported(asked)


def _unsupported(asked: Asked) -> Unsupported:
    """That it is not offered, unless the request is wrong, or artifacts are not served at all."""
    checked(asked["place"])
    checked(asked.fields.get("path"))
    _ = asked.site.artifacts  # raises what says so where none are served
    return Unsupported(
        "This server hands out no URLs of the place where its artifacts lie, and takes no uploads there in parts.",
        hint="Send or fetch the file in one request, to …/mlflow-artifacts/artifacts/<path>.",
    )
