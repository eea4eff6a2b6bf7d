"""Who may send requests at all: which names this server answers to, and which sites' pages may talk to it.

A page of any site may make a browser send requests to this machine, also by a name that it lets point here. So names
and origins are looked at before anything else is.
"""

from __future__ import annotations

import ipaddress
import re
from fnmatch import fnmatchcase
from functools import lru_cache
from socket import gethostname
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from dovetail.errors import DovetailError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["Forbidden", "Guard", "is_loopback"]

_CHANGING = frozenset({"POST", "PUT", "PATCH", "DELETE"})
_MANY = 256
_HOST = re.compile(r"(?:\[([0-9a-f:.]+)\]|([^\[\]@/:\s]+))(?::[0-9]{1,5})?")
_NEIGHBOURS = ("localhost", "*.localhost")


class Forbidden(DovetailError):
    """The request is not one that this server answers."""

    status = 403
    error_code = "PERMISSION_DENIED"


class Guard:
    """Looks at the headers ``Host`` and ``Origin``.

    Args:
        hosts: Names that the server answers to, with ``*`` for any part, each with or without a port; by default those
            of this machine and addresses of private networks. ``*`` alone lets everything pass.
        origins: Origins of pages that may send requests, such as ``https://tracking.example.org``; pages that come
            from one of the hosts may always. ``*`` alone lets everything pass.
    """

    def __init__(self, hosts: Iterable[str] = (), origins: Iterable[str] = ()) -> None:
        self._hosts = tuple(each.lower() for each in hosts)
        self._own = gethostname().lower()
        self._origins = tuple(each.lower().rstrip("/") for each in origins)
        self._knows = lru_cache(_MANY)(self._looks_up)  # the same few names over and over

    def check(self, verb: str, headers: Mapping[str, str]) -> None:
        """Let a request pass, or not.

        Raises:
            Forbidden: It is for another name, or comes from a page of another site.
        """
        host = headers.get("host", "")
        if not self._knows(host):
            raise Forbidden(
                f"This server does not answer to the name {host!r:.120}.",
                hint="Whoever runs it can allow the name: dovetail server --allowed-hosts NAME",
            )
        origin = headers.get("origin")
        if origin is not None and verb in _CHANGING and not self._trusts(origin, host):
            raise Forbidden(
                f"Pages of {origin!r:.120} may not change anything here.",
                hint="Whoever runs this server can allow them: dovetail server --cors-allowed-origins ORIGIN",
            )

    def allows(self, origin: str) -> bool:
        """Whether pages of an origin may read what is answered, too."""
        return any(fnmatchcase(origin.lower(), each) for each in self._origins)

    def _looks_up(self, host: str) -> bool:
        host = host.lower()
        name = _name_of(host)
        if self._hosts:
            return any(fnmatchcase(host, each) or fnmatchcase(name, each) for each in self._hosts)
        return name == self._own or any(fnmatchcase(name, each) for each in _NEIGHBOURS) or _is_near(name)

    def _trusts(self, origin: str, host: str) -> bool:
        if self.allows(origin):
            return True
        try:
            found = urlsplit(origin.lower())
        except ValueError:
            return False
        if found.scheme not in ("http", "https"):  # "null", and what is no page of a site
            return False
        return found.netloc == host.lower() or is_loopback(_name_of(found.netloc))


def is_loopback(name: str) -> bool:
    """Whether a host's name or address is one of this very machine that nobody else reaches."""
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def _name_of(host: str) -> str:
    """A host without its port; empty if it is none."""
    found = _HOST.fullmatch(host)
    return (found[1] or found[2]) if found else ""


def _is_near(name: str) -> bool:
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        return False
    return address.is_private or address.is_loopback or address.is_link_local
