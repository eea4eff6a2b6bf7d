"""Which server, and what on it, an ``mlflow-artifacts:`` URI means."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from dovetail import uris
from dovetail.errors import InvalidUri
from dovetail.tracking import places
from dovetail_http.address import Address, address_of
from dovetail_http.meant import opened, scheme_at
from dovetail_http.server import server_at
from dovetail_http.transport import Transport

if TYPE_CHECKING:
    from dovetail_http.server import Server

__all__ = ["PROXY", "Remote", "place_at", "place_of"]

PROXY = "/api/2.0/mlflow-artifacts/artifacts"
"""Where servers pass on artifacts, below their own address."""
_SCHEME = "mlflow-artifacts"
_TRACKING = ("http", "https")


class Remote:
    """A server that artifacts go through.

    Args:
        transport: The way to it.
    """

    def __init__(self, transport: Transport) -> None:
        self.transport = transport
        self._server: Server | None = None

    @property
    def takes_parts(self) -> bool:
        """Whether files can be sent to it in parts, as to dovetail's own; asked once."""
        if self._server is None:
            self._server = server_at(self.transport)
        return self._server.native


def place_at(address: Address, location: str) -> str:
    """What a server says to be at itself, as a URI that names it, but no password.

    Args:
        address: The server's.
        location: As the server says it; one that names a server, or another kind of place, is that already.
    """
    if uris.scheme_of(location) != _SCHEME or (parts := _split(location))[0]:
        return location
    host = address.base.partition("://")[2]
    root = f"{host}{PROXY}" if "/" in host else host
    return f"{_SCHEME}://{root}/{parts[1]}"


def place_of(uri: str) -> tuple[Remote, str]:
    """The server, and the path there, of a URI.

    Args:
        uri: ``mlflow-artifacts:/<path>`` at the server that is the tracking URI in force, or
            ``mlflow-artifacts://<host>/<path>`` at another one, which is told no password of the former's. Where all
            that a server has is below a path, the host is followed by that, and by ``PROXY``.

    Raises:
        InvalidUri: No server is named and tracking is elsewhere, or the path leads out of the artifacts.
    """
    host, path = _split(uri)
    return _remote(*_server(uri, host)), uris.artifact_path(path)


class _Stranger(Address):
    """A server that nobody gave a password for."""

    def authorization(self) -> str | None:
        """The one in the URI, if there is one."""
        return super().authorization() if self.user else None


@lru_cache(maxsize=16)
def _remote(uri: str, known: bool) -> Remote:
    # Stores are made for each run; connections are kept for all of them.
    transport = Transport(uri)
    if not known:
        address = transport.address
        transport.address = _Stranger(address.uri, address.base, address.host, address.secure, address.user)
    return Remote(transport)


def _split(uri: str) -> tuple[str, str]:
    rest = uri.partition(":")[2]
    if not rest.startswith("//"):
        return "", rest.strip("/")
    host, _, path = rest[2:].partition("/")
    prefix, proxied, below = f"/{path}".partition(f"{PROXY}/")
    return (f"{host}{prefix}", below.strip("/")) if proxied else (host, path.strip("/"))


def _server(uri: str, host: str) -> tuple[str, bool]:
    """The address of the server, and whether it is the one that passwords are for."""
    tracking = places.get_tracking_uri()
    scheme = uris.scheme_of(tracking)
    if not host:
        if scheme in _TRACKING:
            return tracking, True
        raise InvalidUri(
            f"{uris.masked(uri)!r} is at the server that tracks, and {uris.masked(tracking)!r} is none.",
            hint="Set the tracking URI to the server that the artifacts are at.",
        )
    if (known := opened(host)) is not None:
        return known, True
    if scheme in _TRACKING and address_of(f"{scheme}://{host}").host == address_of(tracking).host:
        return f"{scheme}://{host}", True
    return f"{scheme_at(host)}://{host}", False
