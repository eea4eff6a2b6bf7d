"""Which database a ``postgresql:`` URI means."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy.exc import ArgumentError

from dovetail import uris
from dovetail_postgresql.words import dialect
from dovetail_sql.server_location import Location, refusal, url_of

if TYPE_CHECKING:
    from sqlalchemy import URL

__all__ = ["location"]

# The names of drivers that scripts may have in their URIs; psycopg 3 takes the place of each.
_DRIVERS = ("postgresql", "postgresql+psycopg", "postgresql+psycopg2")
_HINT = "Write postgresql://user:password@host:5432/database; characters such as @ or / are percent-encoded."
_UTF8 = ("utf8", "utf-8", "unicode")


def location(uri: str) -> Location:
    """The database that a URI names; nothing is connected to yet.

    Raises:
        InvalidUri: It is no URI of a PostgreSQL database, or has a parameter that libpq does not know
            or that dovetail sets itself.
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

    url, own = _own_options(url, uri)
    try:
        _, options = dialect.create_connect_args(url)
        # Reads what the server would be asked for, and asks nobody.
        conninfo.make_conninfo(**options)
    except (Error, ArgumentError, ValueError) as error:
        raise refusal(uri, f"cannot be connected by: {uris.masked(str(error).strip())}", _HINT) from None
    return {**options, **own}


def _own_options(url: URL, uri: str) -> tuple[URL, dict[str, Any]]:
    """The URL without the parameters that are not libpq's, and what those mean to psycopg."""
    threshold, encoding = url.query.get("prepare_threshold"), url.query.get("client_encoding", "utf8")
    if str(encoding).lower() not in _UTF8:
        raise refusal(uri, f"asks for the encoding {encoding!r}; all text is UTF-8", "Leave client_encoding away.")
    url = url.difference_update_query(["prepare_threshold", "client_encoding"])
    return url, {} if threshold is None else {"prepare_threshold": _threshold(str(threshold), uri)}


def _threshold(text: str, uri: str) -> int | None:
    """After how many executions a statement is prepared; None for never."""
    if text.lower() == "none":
        return None
    if not (text.isascii() and text.isdigit()):
        raise refusal(
            uri,
            f"has the prepare_threshold {text!r}, which is no number",
            "Write prepare_threshold=none if statements are never to be prepared, or after how many executions.",
        )
    return int(text)
