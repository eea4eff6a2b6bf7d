"""From options to an application."""

from __future__ import annotations

import os
from typing import Any

from dovetail_server.access import Access, Open, Plugged, Token
from dovetail_server.application import Application
from dovetail_server.cycles import look_less
from dovetail_server.guard import Guard
from dovetail_server.options import VARIABLE, Options
from dovetail_server.routing.router import Router
from dovetail_server.site import Site
from dovetail_server.table import all_routes

__all__ = ["application", "open_application"]


def open_application(options: Options) -> Application:
    """The application; its stores are opened when they are needed."""
    guard = Guard(options.hosts, options.origins)
    router = Router(all_routes(), options.prefix)
    return Application(Site(options.plan), router, guard, _access(options), options.threads)


def application() -> Any:
    """The application of a worker process, by the options in its environment."""
    look_less()
    return open_application(Options.read(os.environ[VARIABLE]))


def _access(options: Options) -> Access:
    if options.access == "token":
        return Token(options.token)
    return Plugged() if options.access == "plugins" else Open()
