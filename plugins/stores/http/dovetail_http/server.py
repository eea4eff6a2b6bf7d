"""What a server says of itself: whether it is dovetail's, and what it can do."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from dovetail.wire.calls import BASE

if TYPE_CHECKING:
    from dovetail_http.transport import Transport

__all__ = ["Server", "server_at"]


class Server(NamedTuple):
    """A server.

    Args:
        native: Whether it answers to dovetail's own calls; otherwise it is taken for one of MLflow's.
        version: Its version of dovetail.
    """

    native: bool
    version: str = ""


def server_at(transport: Transport) -> Server:
    """Ask a server what it is; from then on the transport packs its bodies if the server takes them so.

    Raises:
        DovetailError: It cannot be reached, or does not let us in.
    """
    said = transport.look(BASE)
    if not isinstance(said, dict) or not isinstance(said.get("version"), str):
        return Server(native=False)
    transport.packs = said.get("gzip") is True
    return Server(native=True, version=said["version"])
