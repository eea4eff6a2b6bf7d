"""The socket that a server listens at."""

from __future__ import annotations

import os
import socket

from dovetail.errors import InvalidInput, StoreError

__all__ = ["listener"]

_BACKLOG = 2048


def listener(host: str, port: int) -> socket.socket:
    """A socket that listens, at a free port for 0.

    What is written goes out at once: a client that waits for the rest of an answer while the system waits for more to
    send would lose 40 ms with every request.

    Raises:
        InvalidInput: There is no such address.
        StoreError: It cannot listen there.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP, flags=socket.AI_PASSIVE
        )[0]
    except OSError as error:
        raise InvalidInput(f"There is no address {host!r}: {error.strerror}.") from error
    # The protocol is named, so that the event loop knows that these are connections of TCP.
    found = socket.socket(family, kind, protocol)
    try:
        if os.name == "posix":
            found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        found.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        found.bind(address)
        found.listen(_BACKLOG)
    except OSError as error:
        found.close()
        raise StoreError(
            f"Cannot listen at {host}:{port}: {error.strerror}.", hint="Choose another port with --port."
        ) from error
    found.set_inheritable(True)
    return found
