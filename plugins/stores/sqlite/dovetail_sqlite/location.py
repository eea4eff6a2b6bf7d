"""Which file a ``sqlite:`` URI means."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path
from urllib.parse import unquote

from dovetail.errors import InvalidUri

__all__ = ["location", "uri_of"]

_MEMORY = ("", ":memory:")
_DRIVE = re.compile(r"/?([A-Za-z]:[\\/].*)", re.DOTALL)
_HINT = "Write sqlite:///relative.db, sqlite:////absolute.db, or sqlite:// for one in memory."


def location(uri: str) -> Path | None:
    """The absolute path of the file a URI names; None if it asks for a database in memory.

    Percent-escapes are decoded: a ``?`` or ``%`` in a file name is written ``%3F`` or ``%25``.

    Raises:
        InvalidUri: It names a host, has a query, or is no ``sqlite:`` URI.
    """
    scheme, separator, rest = uri.partition("://")
    if scheme.lower().split("+")[0] != "sqlite" or not separator:
        raise InvalidUri(f"{uri!r} is not the URI of a sqlite database.", hint=_HINT)
    if "?" in rest:
        raise InvalidUri(f"{uri!r} has a query, which sqlite stores take none of.", hint=_question_hint(rest))
    if rest and not rest.startswith("/"):
        raise InvalidUri(f"{uri!r} names the host {rest.split('/')[0]!r}; a sqlite database is a file.", hint=_HINT)
    path = unquote(rest[1:])
    if path in _MEMORY:
        return None
    # Not resolve(): a link in the path stays one.
    return Path(os.path.abspath(_local(uri, path)))  # noqa: PTH100


def uri_of(path: Path) -> str:
    """The URI by which any process opens the database in this file."""
    return "sqlite:///" + path.as_posix().replace("%", "%25").replace("?", "%3F")


def _local(uri: str, path: str) -> str:
    if "\x00" in path or path.startswith("file:") or path.endswith(("/", "\\")):
        raise InvalidUri(f"{uri!r} does not name a file.", hint=_HINT)
    drive = _DRIVE.fullmatch(path)
    if drive is None:
        return path
    if sys.platform != "win32":
        raise InvalidUri(f"{uri!r} names a drive of Windows, and this is another system.", hint=_HINT)
    return drive[1]


def _question_hint(rest: str) -> str:
    path = rest.partition("?")[0]
    return f"Write sqlite://{path}; how long to wait for locks is DOVETAIL_BUSY_TIMEOUT. A '?' in a file name is %3F."
