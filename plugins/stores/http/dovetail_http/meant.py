"""Servers that ``mlflow-artifacts://<host>/…`` names: the host says neither how it is spoken to nor who asks."""

from __future__ import annotations

from contextlib import suppress
from urllib.parse import urlsplit

from dovetail_http.address import Address, address_of
from dovetail_http.connecting import speaks_tls

__all__ = ["note", "opened", "scheme_at"]

_PATIENCE = 10.0
_opened: dict[str, str] = {}
_last: dict[str, str] = {}  # by no more than the host
_schemes: dict[str, str] = {}


def note(address: Address) -> None:
    """A store of that server is opened in this process: whoever names its host means it, and asks as the store does."""
    _opened[_place(address)] = _last[_host(address)] = address.uri


def opened(host: str) -> str | None:
    """The URI that a server was opened by in this process; None if it was not.

    Args:
        host: Its host and port, as they stand in a URI, with the path that all it has is below; without one it is the
            server at that host that was opened last.
    """
    address = address_of(f"https://{host}")
    return _opened.get(_place(address)) or (None if "/" in host else _last.get(_host(address)))


def scheme_at(host: str) -> str:
    """How to speak to a server that nobody has said more of: by TLS, unless it does not speak that.

    No password goes to such a server.

    Args:
        host: Its host and port, as they stand in a URI.
    """
    if host not in _schemes:
        with suppress(OSError):  # it cannot be reached, which is said when it is asked for something
            _schemes[host] = "https" if speaks_tls(address_of(f"https://{host}"), _PATIENCE) else "http"
    return _schemes.get(host, "https")


def _place(address: Address) -> str:
    return f"{_host(address)}{urlsplit(address.base).path}"


def _host(address: Address) -> str:
    return urlsplit(address.base).netloc.lower()
