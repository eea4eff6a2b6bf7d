"""A stand-in for a server on bad days, for tests: it answers as it is told, cuts connections, or says nothing."""

from __future__ import annotations

import json
import re
import socket
import ssl
import threading
from contextlib import suppress
from itertools import count
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Heard", "StandIn", "answer", "cut", "cut_within", "free_port", "wait"]


class Heard(NamedTuple):
    """A request as the stand-in heard it."""

    verb: str
    path: str
    headers: dict[str, str]
    body: bytes
    connection: int

    @property
    def data(self) -> Any:
        """What the body says in JSON."""
        return json.loads(self.body)


class StandIn:
    """A stand-in for a server, written by hand: it answers each request as it is told to, the last way ever after.

    Args:
        behaviours: Bytes to send, or what is done with the connection instead; nothing is sent after that.
        port: Where it listens.
        certificate: What it speaks TLS with, its key included; None for plain HTTP.
    """

    def __init__(self, *behaviours: Any, port: int = 0, certificate: Path | None = None) -> None:
        self.heard: list[Heard] = []
        self._behaviours = list(behaviours)
        self._numbers = count()
        self._socket = socket.create_server(("127.0.0.1", port or free_port()))
        self._context: ssl.SSLContext | None = None
        if certificate is not None:
            self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._context.load_cert_chain(certificate)
        self.port = self._socket.getsockname()[1]
        self.uri = f"{'http' if certificate is None else 'https'}://127.0.0.1:{self.port}"
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Take no more connections."""
        # One that waits in accept() notices only this.
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._socket.accept()
                threading.Thread(target=self._serve, args=(connection, next(self._numbers)), daemon=True).start()

    def _serve(self, connection: socket.socket, number: int) -> None:
        with suppress(OSError):
            if self._context is not None:
                connection = self._context.wrap_socket(connection, server_side=True)
            with connection, connection.makefile("rb") as file:
                while (heard := self._read(file, number)) is not None:
                    self.heard.append(heard)
                    behaviour = self._behaviours.pop(0) if len(self._behaviours) > 1 else self._behaviours[0]
                    if not isinstance(behaviour, bytes):
                        behaviour(connection)
                        return
                    connection.sendall(behaviour)

    def _read(self, file: Any, number: int) -> Heard | None:
        # Whoever looks whether TLS is spoken here sends random bytes, which may look like words.
        found = re.fullmatch(rb"([A-Z]+) (\S+) HTTP/1\.1\r\n", file.readline())
        if found is None:
            return None
        verb, path = (each.decode() for each in found.groups())
        headers: dict[str, str] = {}
        while line := file.readline().strip():
            name, _, value = line.decode("latin-1").partition(":")
            headers[name.lower()] = value.strip()
        return Heard(verb, path, headers, file.read(int(headers.get("content-length", 0))), number)


def answer(data: Any = None, status: int = 200, **headers: str) -> bytes:
    """An answer in JSON, or of bytes."""
    body = data if isinstance(data, bytes) else json.dumps(data).encode()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    lines = "".join(f"{name}: {value}\r\n" for name, value in {"content-length": str(len(body)), **named}.items())
    return f"HTTP/1.1 {status} Whatever\r\n{lines}\r\n".encode() + body


def cut(connection: socket.socket) -> None:
    """End the connection without an answer."""
    connection.shutdown(socket.SHUT_RDWR)


def cut_within(connection: socket.socket) -> None:
    """End the connection in the midst of an answer."""
    connection.sendall(answer({"answer": "a" * 1000})[:-500])
    connection.shutdown(socket.SHUT_RDWR)


def wait(connection: socket.socket) -> None:
    """Say nothing until the client gives up."""
    connection.settimeout(20)
    with suppress(OSError):
        connection.recv(1)


def free_port() -> int:
    """A port at which nobody listens, and nobody will but who asks for just this one."""
    return _keep(0)


_KEPT: list[socket.socket] = []


def _keep(port: int) -> int:
    """Take a port without listening at it, until the process ends.

    Else the system soon gives it to another server, and that hears the clients which still try it.
    """
    kept = socket.socket()
    # What listens is made with this option, too, and may then share the port.
    kept.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    kept.bind(("127.0.0.1", port))
    _KEPT.append(kept)
    return int(kept.getsockname()[1])
