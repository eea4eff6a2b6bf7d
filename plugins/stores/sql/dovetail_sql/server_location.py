"""Which database on a server a URI means."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from dovetail import uris
from dovetail.errors import InvalidUri

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from sqlalchemy import URL

__all__ = ["Location", "refusal", "url_of"]


class Location(NamedTuple):
    """A database on a server.

    Args:
        uri: By which any process opens it, password included.
        name: What messages call it; no password.
        options: What the driver connects with.
    """

    uri: str
    name: str
    options: Mapping[str, Any]

    def __repr__(self) -> str:
        return f"<Location {self.name}>"


def url_of(uri: str, schemes: Collection[str], what: str, hint: str) -> URL:
    """The parts of a URI, its scheme in lower case.

    Args:
        uri: The URI.
        schemes: Those it may have, names of drivers included.
        what: What it should be the URI of, for messages.
        hint: How such URIs are written.

    Raises:
        InvalidUri: It has another scheme, or cannot be taken apart for sure.
    """
    scheme = uri.partition("://")[0].lower()
    if scheme not in schemes:
        raise refusal(uri, f"is not the URI of {what}", hint)
    try:
        url = make_url(uri).set(drivername=scheme)
    except (ArgumentError, ValueError) as error:
        raise refusal(uri, "cannot be read as a URI", hint) from error
    # A password with an @ that is not percent-encoded would end up in the host's name, which messages tell.
    if "@" in (url.host or ""):
        raise refusal(uri, "has more than one @ before its host", hint)
    return url


def refusal(uri: str, problem: str, hint: str) -> InvalidUri:
    """The error for a URI that something is wrong with; passwords are hidden."""
    return InvalidUri(f"{uris.masked(uri)!r} {problem}.", hint=hint)
