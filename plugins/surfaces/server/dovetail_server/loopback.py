"""The server of a launch, which a stand-by becomes: ``python -m dovetail_server.loopback <socket> <pipe>``."""

from __future__ import annotations

import os
import socket
import sys
import threading

import uvicorn

from dovetail_server.opening import open_application
from dovetail_server.options import VARIABLE, Options
from dovetail_server.running import config_of

__all__ = ["serve"]


def serve(options: Options, sock: socket.socket, pipe: int) -> None:
    """Serve until nobody holds the other end of a pipe any more.

    Args:
        options: What is served, and to whom.
        sock: Where.
        pipe: The end that is read.
    """
    server = uvicorn.Server(config_of(open_application(options)))

    def end() -> None:
        os.read(pipe, 1)  # nobody writes: it returns when the last one has let go
        server.should_exit = True

    threading.Thread(target=end, name="dovetail-launch", daemon=True).start()
    server.run(sockets=[sock])


if __name__ == "__main__":
    serve(Options.read(os.environ.pop(VARIABLE)), socket.socket(fileno=int(sys.argv[1])), int(sys.argv[2]))
