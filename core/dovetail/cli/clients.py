"""The client that commands work with."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dovetail.tracking.client import Client

__all__ = ["open_client"]


def open_client() -> Client:
    """A client for the places in force; imported when a command runs, not when its help is shown."""
    from dovetail.tracking.client import Client

    return Client()
