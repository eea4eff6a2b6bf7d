"""Running a server: its sockets, its workers, and how it ends."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING, Any

import uvicorn

from dovetail_server.cycles import look_less
from dovetail_server.opening import open_application
from dovetail_server.options import VARIABLE
from dovetail_server.protocol import Protocol

if TYPE_CHECKING:
    import socket

    from dovetail_server.options import Options

__all__ = ["GRACE", "config_of", "run"]

GRACE = 10
"""Seconds that requests under way may take once the server is told to stop."""


def config_of(
    application: Any, *, workers: int = 1, verbose: bool = False, ssl: dict[str, Any] | None = None
) -> uvicorn.Config:
    """How uvicorn is to run an application.

    Args:
        application: It, or for several workers where it is made: ``module:function``.
        workers: Processes.
        verbose: Whether each request is printed.
        ssl: Key and certificate, by uvicorn's names.
    """
    return uvicorn.Config(
        application,
        factory=isinstance(application, str),
        workers=workers,
        http=Protocol,
        lifespan="on",
        ws="none",
        access_log=verbose,
        log_level="info" if verbose else "warning",
        server_header=False,
        date_header=False,
        timeout_graceful_shutdown=GRACE,
        timeout_keep_alive=75,
        proxy_headers=False,
        **(ssl or {}),
    )


def run(
    options: Options, sock: socket.socket, *, workers: int = 1, verbose: bool = False, ssl: dict[str, Any] | None = None
) -> None:
    """Serve until a signal comes; what was accepted by then is answered.

    Args:
        options: What is served, and how.
        sock: Where; it is closed in the end.
        workers: Processes that share the work.
        verbose: Whether each request is printed.
        ssl: Key and certificate, by uvicorn's names.
    """
    for each in (signal.SIGINT, signal.SIGTERM):  # uvicorn sends them once more when it has ended by them
        signal.signal(each, _leave)
    with sock:
        if workers == 1:
            config = config_of(open_application(options), verbose=verbose, ssl=ssl)
            look_less()
            uvicorn.Server(config).run(sockets=[sock])
            return
        os.environ[VARIABLE] = options.dumped()
        config = config_of("dovetail_server.opening:application", workers=workers, verbose=verbose, ssl=ssl)
        from uvicorn.supervisors import Multiprocess

        Multiprocess(config, sockets=[sock]).run()


def _leave(*_: object) -> None:
    """The server has ended, as it was told to."""
