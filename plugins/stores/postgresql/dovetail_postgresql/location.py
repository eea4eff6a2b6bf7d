"""Which database a ``postgresql:`` URI means."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from dovetail import uris
from dovetail.errors import InvalidUri
from dovetail_postgresql.words import dialect

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy import URL

__all__ = ["Location", "location"]

# The names of drivers that scripts may have in their URIs; psycopg 3 takes the place of each.
_DRIVERS = ("postgresql", "postgresql+psycopg", "postgresql+psycopg2")
_HINT = "Write postgresql://user:password@host:5432/database; characters such as @ or / are percent-encoded."


class Location(NamedTuple):
    """A database on a PostgreSQL server.

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


def location(uri: str) -> Location:
    """The database that a URI names; nothing is connected to yet.

    Raises:
        InvalidUri: It is no URI of a PostgreSQL database, or has a parameter that libpq does not know.
    """
    url = _url(uri)
    options = _options(url, uri)
    host = str(options.get("host") or options.get("hostaddr") or "this machine")
    place = f"{host}:{options['port']}" if options.get("port") and not host.startswith("/") else host
    database = options.get("dbname") or options.get("service") or options.get("user") or "of the user's name"
    full = url.set(drivername="postgresql").render_as_string(hide_password=False)
    return Location(full, f"PostgreSQL database {database} ({place})", options)


def _url(uri: str) -> URL:
    scheme = uri.partition("://")[0].lower()
    if scheme not in _DRIVERS:
        raise InvalidUri(f"{uris.masked(uri)!r} is not the URI of a PostgreSQL database.", hint=_HINT)
    try:
        url = make_url(uri).set(drivername=scheme)
    except (ArgumentError, ValueError) as error:
        raise InvalidUri(f"{uris.masked(uri)!r} cannot be read as a URI.", hint=_HINT) from error
    # A password with an @ that is not percent-encoded would end up in the host's name, which messages tell.
    if "@" in (url.host or ""):
        raise InvalidUri(f"{uris.masked(uri)!r} has more than one @ before its host.", hint=_HINT)
    return url


def _options(url: URL, uri: str) -> dict[str, Any]:
    from psycopg import Error, conninfo

    _, options = dialect.create_connect_args(url)
    try:
        # Reads what the server would be asked for, and asks nobody.
        conninfo.make_conninfo(**options)
    except Error as error:
        message = f"{uris.masked(uri)!r} cannot be connected by: {uris.masked(str(error))}."
        raise InvalidUri(message, hint=_HINT) from error
    return dict(options)
