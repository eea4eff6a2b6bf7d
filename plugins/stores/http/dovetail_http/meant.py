"""Servers that ``mlflow-artifacts://<host>/…`` names: the host says neither how it is spoken to nor who asks."""

from __future__ import annotations

import socket
import ssl
from contextlib import suppress
from urllib.parse import urlsplit

from dovetail_http.address import Address, address_of

__all__ = ["note", "opened", "scheme_at"]

_PORT = 443
_PATIENCE = 10.0
_opened: dict[str, str] = {}
_schemes: dict[str, str] = {}


def note(address: Address) -> None:
    """A store of that server is opened in this process: whoever names its host means it, and asks as the store does."""
    _opened[_place(address)] = address.uri


def opened(host: str) -> str | None:
    """The URI that a server was opened by in this process; None if it was not.

    Args:
        host: Its host and port, as they stand in a URI.
    """
    return _opened.get(_place(address_of(f"https://{host}")))


def scheme_at(host: str) -> str:
    """How to speak to a server that nobody has said more of: by TLS, unless it does not speak that.

    No password goes to such a server.

    Args:
        host: Its host and port, as they stand in a URI.
    """
    if host not in _schemes:
        with suppress(OSError):  # it cannot be reached, which is said when it is asked for something
            _schemes[host] = _scheme_spoken(address_of(f"https://{host}"))
    return _schemes.get(host, "https")


def _scheme_spoken(address: Address) -> str:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE  # only whether, not with whom
    parts = urlsplit(address.base)
    with socket.create_connection((address.host, parts.port or _PORT), _PATIENCE) as connection:
        try:
            context.wrap_socket(connection, server_hostname=address.host).close()
        except (ssl.SSLError, ConnectionResetError):
            return "http"
    return "https"


def _place(address: Address) -> str:
    return urlsplit(address.base).netloc.lower()
