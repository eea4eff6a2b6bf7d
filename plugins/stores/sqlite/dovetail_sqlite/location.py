"""Which file a ``sqlite:`` URI means."""

from __future__ import annotations

import os
import re
import stat
import sys
from pathlib import Path
from urllib.parse import unquote

from dovetail import uris
from dovetail.errors import InvalidUri

__all__ = ["location", "uri_of"]

_MEMORY = ("", ":memory:")
_DRIVE = re.compile(r"/?([A-Za-z]:[\\/].*)", re.DOTALL)
_HINT = "Write sqlite:///relative.db, sqlite:////absolute.db, or sqlite:// for one in memory."


def location(uri: str) -> Path | None:
    """The absolute path of the file a URI names; None if it asks for a database in memory.

    Percent-escapes are decoded: a ``?`` or ``%`` in a file name is written ``%3F`` or ``%25``.

    Raises:
        InvalidUri: It names a host, has a query, is no ``sqlite:`` URI, or names a device or the like.
    """
    scheme, separator, rest = uri.partition("://")
    if scheme.lower().split("+")[0] != "sqlite" or not separator:
        raise InvalidUri(f"{uris.masked(uri)!r} is not the URI of a sqlite database.", hint=_HINT)
    if "?" in rest:
        raise InvalidUri(
            f"{uris.masked(uri)!r} has a query, which sqlite stores take none of.",
            hint=_question_hint(uris.masked(uri)),
        )
    if rest and not rest.startswith("/"):
        raise InvalidUri(f"{uris.masked(uri)!r} names a host; a sqlite database is a file.", hint=_HINT)
    path = unquote(rest[1:])
    if path in _MEMORY:
        return None
    # Not resolve(): a link in the path stays one.
    found = Path(os.path.abspath(_local(uri, path)))  # noqa: PTH100
    if _is_special(found):
        raise InvalidUri(f"{uris.masked(uri)!r} names a device, pipe or socket, which no database can be.", hint=_HINT)
    return found


def uri_of(path: Path) -> str:
    """The URI by which any process opens the database in this file."""
    return "sqlite:///" + path.as_posix().replace("%", "%25").replace("?", "%3F")


def _is_special(path: Path) -> bool:
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError):  # not there, or not to be looked at: opening it says so
        return False
    return not stat.S_ISREG(mode) and not stat.S_ISDIR(mode)


def _local(uri: str, path: str) -> str:
    if "\x00" in path or path.startswith("file:") or path.endswith(("/", "\\")):
        raise InvalidUri(f"{uris.masked(uri)!r} does not name a file.", hint=_HINT)
    drive = _DRIVE.fullmatch(path)
    if drive is None:
        return path
    if sys.platform != "win32":
        raise InvalidUri(f"{uris.masked(uri)!r} names a drive of Windows, and this is another system.", hint=_HINT)
    return drive[1]


def _question_hint(uri: str) -> str:
    right = uri.partition("?")[0]
    return f"Write {right}; how long to wait for locks is DOVETAIL_BUSY_TIMEOUT. A '?' in a file name is %3F."
