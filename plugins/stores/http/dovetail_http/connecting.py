"""Connections to a server: kept open between requests, by TLS and through a proxy where settings say so."""

from __future__ import annotations

import socket
import ssl
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import urllib3
from urllib3.connection import HTTPConnection

from dovetail import settings, uris
from dovetail.errors import InvalidSetting

if TYPE_CHECKING:
    from pathlib import Path

    from dovetail_http.address import Address

__all__ = ["CONNECTIONS", "is_direct", "open_pool", "speaks_tls", "timeout"]

CONNECTIONS = 64
"""Connections that are kept for the next requests; threads beyond have their own for a request each."""
_PORTS = {False: 80, True: 443}
_LOOPBACK = ("localhost", "127.0.0.1", "::1")
_OPTIONS = [*HTTPConnection.default_socket_options, (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)]


def open_pool(address: Address) -> urllib3.PoolManager:
    """What makes connections to a server and keeps them; none is made yet.

    Args:
        address: Where it is.
    """
    options: dict[str, Any] = {"num_pools": 4, "maxsize": CONNECTIONS, "socket_options": _OPTIONS}
    if address.secure:
        options |= _tls()
    if (proxy := _proxy(address)) is not None:
        return urllib3.ProxyManager(proxy, **options)
    return urllib3.PoolManager(**options)


def timeout(connect: float) -> urllib3.Timeout:
    """How long to wait for a connection, and for each piece of an answer.

    Args:
        connect: The most seconds for a connection.
    """
    seconds = settings.get("http_request_timeout") or None
    return urllib3.Timeout(connect=min(connect, seconds or connect), read=seconds)


def is_direct(address: Address) -> bool:
    """Whether a server is connected to without a proxy."""
    return _proxy(address) is None


def speaks_tls(address: Address, seconds: float) -> bool:
    """Whether a server shakes hands by TLS, whoever it is.

    Args:
        address: Where it is.
        seconds: How long to wait for it.

    Raises:
        OSError: It cannot be reached.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE  # only whether, not with whom
    port = urlsplit(address.base).port or _PORTS[address.secure]
    with socket.create_connection((address.host, port), seconds) as connection:
        try:
            context.wrap_socket(connection, server_hostname=address.host).close()
        except (ssl.SSLError, ConnectionResetError):
            return False
    return True


def _tls() -> dict[str, Any]:
    options: dict[str, Any] = {}
    if settings.get("tracking_insecure_tls"):
        urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)  # somebody wanted it so
        options = {"cert_reqs": "CERT_NONE", "assert_hostname": False}
    elif path := _file("tracking_server_cert_path"):
        options = {"ca_cert_dir" if path.is_dir() else "ca_certs": str(path)}
    if path := _file("tracking_client_cert_path"):
        options["cert_file"] = str(path)
    return options


def _file(setting: str) -> Path | None:
    """The file that a setting names.

    Raises:
        InvalidSetting: It is not there.
    """
    if (location := settings.get(setting)) is None:
        return None
    if not (path := uris.path_of(location)).exists():
        raise InvalidSetting(f"{setting} is {str(path)!r}, by {settings.origin(setting)}, and that is not there.")
    return path


def _proxy(address: Address) -> str | None:
    """The proxy that the environment names for a server; none for this machine itself."""
    if address.host in _LOOPBACK or proxy_bypass(address.host):
        return None
    found = getproxies().get("https" if address.secure else "http")
    return found if found is None or "://" in found else f"http://{found}"
