"""Which folder a ``dir:`` URI means."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

from dovetail import uris
from dovetail.errors import InvalidUri

__all__ = ["location", "uri_of"]

_HINT = "Write dir:///absolute/folder, or dir:folder for one below the working folder."


def location(uri: str) -> Path:
    """The absolute path of the folder a URI names. Percent-escapes are decoded.

    Raises:
        InvalidUri: It names a host or nothing at all, has a query or fragment, or is no ``dir:`` URI.
    """
    shown = uris.masked(uri)
    try:
        parts = urlsplit(uri)
    except ValueError as error:
        raise InvalidUri(f"{shown!r} is not the URI of a folder.", hint=_HINT) from error
    path = unquote(parts.path)
    if parts.scheme != "dir" or not path or "\0" in path:
        raise InvalidUri(f"{shown!r} is not the URI of a folder.", hint=_HINT)
    if parts.netloc not in ("", "localhost"):
        raise InvalidUri(f"{shown!r} names a host; this store is a folder that this machine sees.", hint=_HINT)
    if "?" in uri or "#" in uri:
        raise InvalidUri(
            f"{shown!r} has a query or fragment, which folders have none of.",
            hint="A '?' in the name of a folder is written %3F, a '#' %23.",
        )
    # Not resolve(): a link in the path stays one.
    return Path(os.path.abspath(os.path.expanduser(path)))  # noqa: PTH100, PTH111


def uri_of(path: Path) -> str:
    """The URI by which any process opens the store in this folder."""
    return f"dir://{quote(path.as_posix())}"
