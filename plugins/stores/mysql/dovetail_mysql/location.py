"""Which database a ``mysql:`` or ``mariadb:`` URI means."""

from __future__ import annotations

from inspect import signature
from typing import TYPE_CHECKING, Any

from sqlalchemy.exc import ArgumentError

from dovetail import uris
from dovetail_mysql.words import dialect
from dovetail_sql.server_location import Location, refusal, url_of

if TYPE_CHECKING:
    from sqlalchemy import URL

__all__ = ["location"]

_SCHEMES = ("mysql", "mysql+pymysql", "mariadb", "mariadb+pymysql")
_HINT = "Write mysql://user:password@host:3306/database; characters such as @ or / are percent-encoded."
_SETTINGS = ("autocommit", "binary_prefix", "client_flag", "collation", "defer_connect", "sql_mode", "use_unicode")
_OBJECTS = ("auth_plugin_map", "conv", "cursorclass", "ssl")
_OTHERS = ("compress", "db", "named_pipe", "passwd")
_NO_PARAMETERS = frozenset((*_SETTINGS, *_OBJECTS, *_OTHERS))
_UTF8 = ("utf8mb4", "utf8")
_NUMBERS = ("port", "max_allowed_packet")


def location(uri: str) -> Location:
    """The database that a URI names; nothing is connected to yet.

    Raises:
        InvalidUri: It is no URI of a MySQL database, names none, or has a parameter that the driver does not
            know or that dovetail sets itself.
    """
    url = url_of(uri, _SCHEMES, "a MySQL or MariaDB database", _HINT)
    if not url.database:
        raise refusal(uri, "names no database", _HINT)
    options = _options(url, uri)
    place = options.get("unix_socket") or f"{options.get('host', 'this machine')}:{options.get('port', 3306)}"
    scheme = url.drivername.partition("+")[0]
    kind = "MariaDB" if scheme == "mariadb" else "MySQL"
    full = url.set(drivername=scheme).render_as_string(hide_password=False)
    return Location(full, f"{kind} database {url.database} ({place})", options)


def _options(url: URL, uri: str) -> dict[str, Any]:
    from pymysql.connections import Connection

    _require_free(url, uri)
    try:
        _, options = dialect.create_connect_args(url)
        numbers = {name: int(options[name]) for name in _NUMBERS if name in options}
    except (ArgumentError, TypeError, ValueError) as error:
        raise refusal(uri, f"cannot be connected by: {uris.masked(str(error))}", _HINT) from None
    if unknown := sorted(options.keys() - signature(Connection.__init__).parameters.keys()):
        raise refusal(uri, f"has a parameter that PyMySQL does not know: {unknown[0]}", _HINT)
    return {**options, **numbers}


def _require_free(url: URL, uri: str) -> None:
    """Raise ``InvalidUri`` for parameters that only dovetail sets."""
    if taken := sorted(_NO_PARAMETERS & url.query.keys()):
        raise refusal(uri, f"has the parameter {taken[0]}, which cannot be set here", "Leave it away.")
    charset = str(url.query.get("charset", "utf8mb4"))
    if charset.lower() not in _UTF8:
        raise refusal(uri, f"asks for the character set {charset!r}, where all text is utf8mb4", "Leave charset away.")
