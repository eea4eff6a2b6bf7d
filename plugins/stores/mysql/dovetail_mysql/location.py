"""Which database a ``mysql:`` or ``mariadb:`` URI means."""

from __future__ import annotations

from inspect import signature
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from dovetail import uris
from dovetail.errors import InvalidUri
from dovetail_mysql.words import dialect

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy import URL

__all__ = ["Location", "location"]

_SCHEMES = ("mysql", "mysql+pymysql", "mariadb", "mariadb+pymysql")
_HINT = "Write mysql://user:password@host:3306/database; characters such as @ or / are percent-encoded."


class Location(NamedTuple):
    """A database on a MySQL or MariaDB server.

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
        InvalidUri: It is no URI of a MySQL database, names none, or has a parameter that the driver does not know.
    """
    url = _url(uri)
    options = _options(url, uri)
    place = options.get("unix_socket") or f"{options.get('host', 'this machine')}:{options.get('port', 3306)}"
    scheme = url.drivername.partition("+")[0]
    kind = "MariaDB" if scheme == "mariadb" else "MySQL"
    full = url.set(drivername=scheme).render_as_string(hide_password=False)
    return Location(full, f"{kind} database {url.database} ({place})", options)


def _url(uri: str) -> URL:
    scheme = uri.partition("://")[0].lower()
    if scheme not in _SCHEMES:
        raise InvalidUri(f"{uris.masked(uri)!r} is not the URI of a MySQL or MariaDB database.", hint=_HINT)
    try:
        url = make_url(uri).set(drivername=scheme)
    except (ArgumentError, ValueError) as error:
        raise InvalidUri(f"{uris.masked(uri)!r} cannot be read as a URI.", hint=_HINT) from error
    # A password with an @ that is not percent-encoded would end up in the host's name, which messages tell.
    if "@" in (url.host or ""):
        raise InvalidUri(f"{uris.masked(uri)!r} has more than one @ before its host.", hint=_HINT)
    if not url.database:
        raise InvalidUri(f"{uris.masked(uri)!r} names no database.", hint=_HINT)
    return url


def _options(url: URL, uri: str) -> dict[str, Any]:
    from pymysql.connections import Connection

    try:
        _, options = dialect.create_connect_args(url)
    except (ArgumentError, ValueError) as error:
        message = f"{uris.masked(uri)!r} cannot be connected by: {uris.masked(str(error))}."
        raise InvalidUri(message, hint=_HINT) from error
    if unknown := sorted(options.keys() - signature(Connection.__init__).parameters.keys()):
        raise InvalidUri(f"{uris.masked(uri)!r} has a parameter that PyMySQL does not know: {unknown[0]}.", hint=_HINT)
    return dict(options)
