"""``mlflow-artifacts://<host>/…`` names a server by no more than its host."""

from __future__ import annotations

import ssl
import threading
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING

from dovetail_http import open_tracking
from dovetail_http.meant import opened, scheme_at

if TYPE_CHECKING:
    from collections.abc import Iterator

CERTIFICATE = Path(__file__).with_name("localhost.pem")


class Quiet(ThreadingHTTPServer):
    """A server that says nothing of those who spoke to it otherwise than it does."""

    def handle_error(self, request: object, client_address: object) -> None:
        """Nothing."""


@contextmanager
def listening(*, secure: bool) -> Iterator[str]:
    """The host and port of a server that runs meanwhile."""
    with Quiet(("127.0.0.1", 0), BaseHTTPRequestHandler) as server:
        if secure:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(CERTIFICATE)
            server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


class TestAServerThatNobodyOpened:
    def test_is_spoken_to_as_it_speaks(self) -> None:
        with listening(secure=False) as plain, listening(secure=True) as secured:
            assert (scheme_at(plain), scheme_at(secured)) == ("http", "https")

    def test_that_is_away_is_taken_to_speak_tls_until_it_is_there(self) -> None:
        with listening(secure=False) as place:
            pass
        assert scheme_at(place) == "https"
        assert opened(place) is None


class TestAServerThatAStoreWasOpenedOn:
    def test_is_asked_as_the_store_asks(self) -> None:
        with closing(open_tracking("http://ann:secret@mlflow.example:5000/")):
            assert opened("mlflow.example:5000") == "http://ann:secret@mlflow.example:5000"
            assert opened("mlflow.example") is None
