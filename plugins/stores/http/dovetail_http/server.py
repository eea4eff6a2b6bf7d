"""What a server says of itself: whether it is dovetail's, and what it can do."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, NamedTuple

from dovetail.wire.calls import BASE

if TYPE_CHECKING:
    from dovetail_http.transport import Transport

__all__ = ["Server", "greeting", "server_at"]

_VERSION = re.compile(r"\d+\.[\w.+-]{1,40}")


class Server(NamedTuple):
    """A server.

    Args:
        native: Whether it answers to dovetail's own calls; otherwise it is taken for one of MLflow's.
        version: Its version of dovetail.
    """

    native: bool
    version: str = ""


def greeting(transport: Transport) -> str:
    """Who answers at a server, and how soon, in one line.

    Raises:
        DovetailError: It cannot be reached, or does not let us in.
    """
    server = server_at(transport)
    name = f"dovetail {server.version}" if server.native else _mlflow(transport)
    start = time.monotonic()  # the connection is there by now
    transport.look("/health")
    return f"{name}, answers in {max(1, round(1000 * (time.monotonic() - start)))} ms"


def _mlflow(transport: Transport) -> str:
    version = transport.look("/version")
    if isinstance(version, str) and _VERSION.fullmatch(version.strip()):
        return f"MLflow {version.strip()}"
    return "a server that does not say which MLflow it is"


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
