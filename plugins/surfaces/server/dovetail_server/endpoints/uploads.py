"""Uploads in parts, dovetail's own way: begun, sent in parts, completed or given up."""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING, Any

from dovetail.errors import InvalidInput
from dovetail.folders import state_folder
from dovetail_server.artifact_paths import named
from dovetail_server.checksums import Expected
from dovetail_server.resumable import MOST_PARTS, Upload, Uploads
from dovetail_server.routing.answer import Answer, json
from dovetail_server.routing.fields import integer, text
from dovetail_server.routing.route import Routes, Way
from dovetail_server.uploading import stored

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from concurrent.futures import Executor

    from dovetail_server.routing.asked import Asked

__all__ = ["ROUTES"]

_PATH = text("path", required=True)
_SHA256 = re.compile(r"[0-9a-f]{64}")

ROUTES = Routes("/api/dovetail/1/")


@ROUTES.add("POST", "uploads", "update", "artifact", _PATH, integer("size"), text("sha256"))
def begun(asked: Asked) -> dict[str, Any]:
    """Begin to upload a file in parts."""
    upload = _uploads(asked).begin(named(asked["path"]), _size(asked), _sha256(asked))
    return {"upload_id": upload.upload_id}


@ROUTES.add("GET", "uploads/{upload_id}", "read", "artifact", _PATH)
def shown(asked: Asked) -> dict[str, Any]:
    """Which parts of a file have arrived, and whether they are put together."""
    upload = _upload(asked)
    parts = [{"number": part.number, "size": part.size} for part in upload.parts()]
    return {"upload_id": upload.upload_id, "path": upload.path, "state": upload.state, "parts": parts}


@ROUTES.add("PUT", "uploads/{upload_id}/parts/{number}", "update", "artifact", _PATH, way=Way.STREAMING)
async def part_put(asked: Asked, receive: Callable[[], Awaitable[Any]], sending: Any, pool: Executor) -> Answer | None:
    """Send a part, with its SHA-256 in ``Repr-Digest``; one of that number is replaced."""
    del sending
    number, expected = _number(asked["number"]), Expected.of(asked.headers)
    if "sha-256" not in expected.algorithms:
        raise InvalidInput("A part needs its digest.", hint="Send the header Repr-Digest: sha-256=:<base64>:")
    done = await stored(receive, expected, lambda: partial(_upload(asked).put, number), pool, asked.site.writers)
    return json({}) if done else None


@ROUTES.add(
    "POST",
    "uploads/{upload_id}/complete",
    "update",
    "artifact",
    _PATH,
    integer("parts", required=True),
    integer("size"),
    text("sha256"),
)
def completed(asked: Asked) -> dict[str, Any]:
    """Put the parts together in the place of the file; to say it again does no harm."""
    if not 0 <= asked["parts"] <= MOST_PARTS:
        raise InvalidInput(f"A file has at most {MOST_PARTS} parts, not {asked['parts']}.", hint="Send larger parts.")
    _upload(asked).complete(asked.site.artifacts, asked["parts"], _size(asked), _sha256(asked))
    return {}


@ROUTES.add("DELETE", "uploads/{upload_id}", "update", "artifact", _PATH)
def aborted(asked: Asked) -> dict[str, Any]:
    """Give an upload up; what has arrived is removed."""
    _upload(asked).abort()
    return {}


def _uploads(asked: Asked) -> Uploads:
    return Uploads(state_folder() / "uploads", asked.site.artifacts.uri)


def _upload(asked: Asked) -> Upload:
    return _uploads(asked).find(asked["upload_id"], named(asked["path"]))


def _number(given: str) -> int:
    if not (given.isascii() and given.isdecimal() and 1 <= int(given[:9]) <= MOST_PARTS and len(given) < 9):  # noqa: PLR2004
        raise InvalidInput(f"{given!r:.40} is no number of a part.", hint=f"Parts are numbered from 1 to {MOST_PARTS}.")
    return int(given)


def _size(asked: Asked) -> int | None:
    size: int | None = asked["size"]
    if size is not None and size < 0:
        raise InvalidInput(f"A file cannot have {size} bytes.")
    return size


def _sha256(asked: Asked) -> str | None:
    digest: str | None = asked["sha256"]
    if digest is not None and not _SHA256.fullmatch(digest):
        raise InvalidInput(f"{digest!r:.80} is no SHA-256 digest.", hint="Write 64 hexadecimal digits in lower case.")
    return digest
