"""Requests that would like to go on in another protocol: they are read as if they did not say so.

HTTP allows that (RFC 9110, 7.8), and some clients ask with every request. httptools hands back whatever follows the
head of such a request unread, its body included; so the head is read once more, without that wish.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httptools

if TYPE_CHECKING:
    from dovetail_server.protocol import Protocol

__all__ = ["Parser"]

_WISHES = (b"upgrade", b"http2-settings")


class Parser:
    """Reads requests, as httptools' own does.

    Args:
        protocol: Is told what is read.
    """

    def __init__(self, protocol: Protocol) -> None:
        self._protocol = protocol
        self._renew()

    def _renew(self) -> None:
        self._parser: Any = httptools.HttpRequestParser(self._protocol)
        # As uvicorn does: what follows a request that is to be the last one is no error.
        self._parser.set_dangerous_leniencies(lenient_data_after_close=True)
        self.get_method, self.get_http_version = self._parser.get_method, self._parser.get_http_version
        self.should_keep_alive, self.should_upgrade = self._parser.should_keep_alive, self._parser.should_upgrade

    @property
    def wishes(self) -> bool:
        """Whether the request that is being read is one that will be read once more."""
        return self.should_upgrade() and self.get_method() != b"CONNECT"

    def feed_data(self, data: bytes) -> None:
        """Read on.

        Raises:
            HttpParserError: That is no HTTP.
            HttpParserUpgrade: Somebody takes this for a proxy, and what follows is for somebody else.
        """
        while data:
            data = self._left_of(data)

    def _left_of(self, data: bytes) -> bytes:
        """Read, and return what has to be read once more."""
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            if not self.wishes:
                raise
            again = self._head() + data[upgrade.args[0] :]
            self._renew()
            return again
        return b""

    def _head(self) -> bytes:
        """The head that was read, without the wish."""
        lines = [b"%s %s HTTP/%s" % (self.get_method(), self._protocol.url, self.get_http_version().encode())]
        for name, value in self._protocol.headers:
            kept = _without(value) if name == b"connection" else value
            if name not in _WISHES and (kept or name != b"connection"):
                lines.append(b"%s: %s" % (name, kept))
        return b"\r\n".join(lines) + b"\r\n\r\n"


def _without(value: bytes) -> bytes:
    """The words of a header ``Connection`` that are no wish."""
    words = [word.strip() for word in value.split(b",")]
    return b", ".join(word for word in words if word.lower() not in _WISHES)
