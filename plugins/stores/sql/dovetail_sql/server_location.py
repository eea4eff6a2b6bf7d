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

_SEVERAL = ("host", "port")  # of PostgreSQL's servers that stand in for one another


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
    scheme, _, rest = uri.partition("://")
    scheme = scheme.lower()
    if scheme not in schemes:
        raise refusal(uri, f"is not the URI of {what}", hint)
    if rest.count("@") > 1:
        raise _unreadable(scheme, "has more than one @", hint)
    try:
        url = make_url(uri).set(drivername=scheme)
    except (ArgumentError, ValueError):
        # Neither the message of what could not be read nor its text is told: it may be a piece of the password.
        raise _unreadable(scheme, "cannot be read", hint) from None
    if "@" in rest and url.username is None:
        raise _unreadable(scheme, "has an @ that ends no user's name", hint)
    if twice := [name for name, value in url.query.items() if not isinstance(value, str) and name not in _SEVERAL]:
        raise refusal(uri, f"has the parameter {twice[0]} more than once", hint)
    return url


def _unreadable(scheme: str, problem: str, hint: str) -> InvalidUri:
    """The error for a URI of which nobody knows where its password is, so that none of it is shown."""
    return InvalidUri(f"A URI {scheme}://… {problem}.", hint=hint)


def refusal(uri: str, problem: str, hint: str) -> InvalidUri:
    """The error for a URI that something is wrong with; passwords are hidden."""
    return InvalidUri(f"{uris.masked(uri)!r} {problem}.", hint=hint)
