"""Waits at a port for the first connection, and becomes a server then; ends when nobody is left who could connect.

It is run by its path, and imports the standard library alone::

    python -I -S standby.py <descriptor of the socket> <descriptor of the pipe>
"""

from __future__ import annotations

import os
import select
import sys

__all__ = ["wait"]


def wait(sock: int, pipe: int) -> bool:
    """Wait until somebody connects, or nobody holds the other end of a pipe any more; whether the first came first."""
    ready, _, _ = select.select([sock, pipe], [], [])
    return pipe not in ready or sock in ready


def _main(sock: int, pipe: int) -> None:
    if os.fork():  # whoever launched waits for this process alone, and has no other to look after
        os._exit(0)
    if wait(sock, pipe):
        for each in (sock, pipe):
            os.set_inheritable(each, True)
        argv = [sys.executable, "-m", "dovetail_server.loopback", str(sock), str(pipe)]
        os.execv(sys.executable, argv)  # noqa: S606 - ourselves


if __name__ == "__main__":
    _main(int(sys.argv[1]), int(sys.argv[2]))
