"""Servers of launches: code that says ``import mlflow`` reaches a store of ours for as long as it runs.

Most code does not, so a stand-by waits at the port: a few megabytes, which become a server with the first connection.
It knows that nobody needs it any more when the last process has closed the end of a pipe that they all inherited:
whoever launched, what was launched, and all that this started.
"""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from dovetail import hookimpl
from dovetail.projects.served import Served

if TYPE_CHECKING:
    from dovetail_server.options import Options

__all__: list[str] = []


@hookimpl
def dovetail_serve(tracking_uri: str, registry_uri: str) -> Served | None:
    """Serve the stores on this machine's loopback, to whoever has the token."""
    if sys.platform == "win32" or not sys.executable:  # descriptors are not inherited there
        return None
    from dovetail_server.listening import listener
    from dovetail_server.options import Options, Plan

    token = secrets.token_urlsafe(24)
    with listener("127.0.0.1", 0) as sock:
        port = sock.getsockname()[1]
        options = Options(Plan(tracking_uri, registry_uri), access="token", token=token)
        ours, theirs = os.pipe()
        try:
            _stand_by(options, sock.fileno(), ours)
        except BaseException:
            os.close(theirs)
            raise
        finally:
            os.close(ours)
    return Served(f"http://127.0.0.1:{port}", token, (theirs,))


def _stand_by(options: Options, sock: int, pipe: int) -> None:
    from dovetail_server.options import VARIABLE

    argv = [sys.executable, "-I", "-S", str(Path(__file__).with_name("standby.py")), str(sock), str(pipe)]
    process = subprocess.Popen(  # noqa: S603 - ourselves
        argv,
        env={**os.environ, VARIABLE: options.dumped()},
        pass_fds=(sock, pipe),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    process.wait()  # it has left a child of its own behind, which is nobody's
