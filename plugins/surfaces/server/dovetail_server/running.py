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
    from collections.abc import Callable

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
    options: Options,
    sock: socket.socket,
    say: Callable[[], None],
    *,
    workers: int = 1,
    verbose: bool = False,
    ssl: dict[str, Any] | None = None,
) -> None:
    """Serve until a signal comes; what was accepted by then is answered.

    Args:
        options: What is served, and how.
        sock: Where; it is closed in the end.
        say: Says that it begins: from then on it ends well by a signal.
        workers: Processes that share the work.
        verbose: Whether each request is printed.
        ssl: Key and certificate, by uvicorn's names.
    """
    ends = _Ends()
    with sock:
        say()
        if workers == 1:
            config = config_of(open_application(options), verbose=verbose, ssl=ssl)
            look_less()
            server = ends.server = uvicorn.Server(config)
            if ends.told:
                server.should_exit = True
            server.run(sockets=[sock])
            return
        os.environ[VARIABLE] = options.dumped()
        config = config_of("dovetail_server.opening:application", workers=workers, verbose=verbose, ssl=ssl)
        from uvicorn.supervisors import Multiprocess

        supervisor = Multiprocess(config, sockets=[sock])  # it looks after signals itself from now on
        if not ends.told:
            supervisor.run()


class _Ends:
    """Notes signals to end, before uvicorn looks after them, which sends them once more when it has ended by one.

    Nothing is raised: in the midst of an import that may come out as something else.
    """

    def __init__(self) -> None:
        self.told = False
        self.server: uvicorn.Server | None = None
        for each in (signal.SIGINT, signal.SIGTERM):
            signal.signal(each, self._note)

    def _note(self, *_: object) -> None:
        self.told = True
        if self.server is not None:
            self.server.should_exit = True
