"""Which database a ``postgresql:`` URI means."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dovetail import uris
from dovetail_postgresql.words import dialect
from dovetail_sql.server_location import Location, refusal, url_of

if TYPE_CHECKING:
    from sqlalchemy import URL

__all__ = ["location"]

# The names of drivers that scripts may have in their URIs; psycopg 3 takes the place of each.
_DRIVERS = ("postgresql", "postgresql+psycopg", "postgresql+psycopg2")
_HINT = "Write postgresql://user:password@host:5432/database; characters such as @ or / are percent-encoded."


def location(uri: str) -> Location:
    """The database that a URI names; nothing is connected to yet.

    Raises:
        InvalidUri: It is no URI of a PostgreSQL database, or has a parameter that libpq does not know.
    """
    url = url_of(uri, _DRIVERS, "a PostgreSQL database", _HINT)
    options = _options(url, uri)
    host = str(options.get("host") or options.get("hostaddr") or "this machine")
    place = f"{host}:{options['port']}" if options.get("port") and not host.startswith("/") else host
    database = options.get("dbname") or options.get("service") or options.get("user") or "of the user's name"
    full = url.set(drivername="postgresql").render_as_string(hide_password=False)
    return Location(full, f"PostgreSQL database {database} ({place})", options)


def _options(url: URL, uri: str) -> dict[str, Any]:
    from psycopg import Error, conninfo

    _, options = dialect.create_connect_args(url)
    try:
        # Reads what the server would be asked for, and asks nobody.
        conninfo.make_conninfo(**options)
    except Error as error:
        raise refusal(uri, f"cannot be connected by: {uris.masked(str(error))}", _HINT) from error
    return dict(options)
