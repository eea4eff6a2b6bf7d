"""URIs of stores in memory."""

from __future__ import annotations

from dovetail import uris
from dovetail.errors import InvalidUri

__all__ = ["name_in_memory"]


def name_in_memory(uri: str) -> str:
    """The name of the store that a URI means; ``memory://`` means the one whose name is empty.

    Raises:
        InvalidUri: It is not ``memory://<name>``.
    """
    scheme, separator, name = uri.partition("://")
    if scheme.lower() != "memory" or not separator or "?" in name or "#" in name:
        raise InvalidUri(f"{uris.masked(uri)!r} names no store in memory.", hint="Write memory://<name>.")
    return name.rstrip("/")
