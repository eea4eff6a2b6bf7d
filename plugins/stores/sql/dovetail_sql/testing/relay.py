"""A program between a store and its server, for tests of what happens when the network fails."""

from __future__ import annotations

import re
import socket
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = ["Relay"]

_COMMIT = re.compile(rb"COMMIT(?!TED)")  # what a transaction ends with, not the name of an isolation level


class Relay:
    """A program between a store and its server that hangs up when it is told to.

    Args:
        uri: Of the store at the server.
    """

    def __init__(self, uri: str) -> None:
        head, _, tail = uri.partition("@")
        address, slash, rest = tail.partition("/")
        host, _, port = address.partition(":")
        self._server = (host, int(port))
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.uri = f"{head}@127.0.0.1:{self._listener.getsockname()[1]}{slash}{rest}"
        self._armed = False
        self._losses: list[tuple[re.Pattern[bytes], float]] = []

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.close()

    def hang_up_at_commit(self) -> None:
        """Pass the next commit on, and give the client no answer but the end."""
        self._armed = True

    def hang_up_before(self, pattern: bytes, after: float = 0.0) -> None:
        """Pass on nothing of a message that a pattern is found in, and hang up; once, and after those before it.

        Args:
            pattern: A regular expression.
            after: Seconds to wait with that.
        """
        self._losses.append((re.compile(pattern), after))

    @property
    def done(self) -> bool:
        """Whether it hung up as often as it was told to."""
        return not self._losses

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            server = socket.create_connection(self._server)
            for source, target in ((client, server), (server, client)):
                threading.Thread(target=self._pass_on, args=(source, target, client), daemon=True).start()

    def _pass_on(self, source: socket.socket, target: socket.socket, client: socket.socket) -> None:
        with source, target, suppress(OSError):  # whichever side leaves first
            while data := source.recv(65536):
                if source is client and self._losses and self._losses[0][0].search(data):
                    time.sleep(self._losses.pop(0)[1])
                    for each in (client, target):
                        each.shutdown(socket.SHUT_RDWR)
                    return
                hang_up = self._armed and source is client and _COMMIT.search(data) is not None
                if hang_up:
                    self._armed = False
                    client.shutdown(socket.SHUT_RDWR)
                target.sendall(data)
                if hang_up:
                    time.sleep(0.2)  # long enough for the server to do it
                    return
