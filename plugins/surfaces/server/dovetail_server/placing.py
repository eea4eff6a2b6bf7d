"""Where clients may have artifacts kept.

The server opens nothing outside its own root. But it hands a place on to everybody who logs to the experiment, and
their processes write there: so nobody may make them send files to a host of their choice.
"""

from __future__ import annotations

from pathlib import PureWindowsPath
from typing import TYPE_CHECKING

from dovetail import uris
from dovetail.errors import InvalidUri
from dovetail.values.names import check_text

if TYPE_CHECKING:
    from dovetail_server.site import Site

__all__ = ["HOSTS", "place_of"]

_LONGEST = 4096
_PROXY = "mlflow-artifacts"
_SERVERS = {"ftp", "ftps", "http", "https", "scp", "sftp", "smb", "ssh", "webdav", "webdavs"}
_CLUSTERS = {
    "abfs",
    "abfss",
    "arrow_hdfs",
    "b2",
    "dask",
    "hdfs",
    "jlab",
    "jupyter",
    "r2",
    "viewfs",
    "webhdfs",
}
_FORGES = {"adl", "git", "github", "gopher", "lakefs", "root", "ws", "wss"}
HOSTS = frozenset(_SERVERS | _CLUSTERS | _FORGES)
"""Schemes of places that name the host to talk to."""
_NAMES = frozenset({"models", "runs"})
"""Schemes of what is no place, only a name for one."""


def place_of(site: Site, location: str) -> str:
    """The place that a client names for artifacts, as the store shall keep it.

    Args:
        site: What is served.
        location: What the client sent.

    Raises:
        InvalidInput: It is no place, one on a host of the client's choice, or one outside the server's root that is
            written as if it were below.
    """
    check_text("artifact location", location, _LONGEST)
    scheme = uris.scheme_of(location)
    if "#" in location or ";" in location:
        raise _refusal(location, "has a fragment or params", "Leave out '#' and ';'.")
    if scheme in _NAMES:
        raise _refusal(location, "is no place, only a name for one", "Write where the artifacts shall be.")
    if "::" in location or "+" in location.partition(":")[0]:
        raise _refusal(location, "leads to one place by another one", "Write where the artifacts shall be.")
    if scheme in HOSTS or location.lower().partition(":")[0] in HOSTS:
        raise _refusal(location, "names a host to send artifacts to", f"Use a bucket, a folder or {_PROXY}:/<path>.")
    if scheme == _PROXY:
        return site.meant(_without_host(location))
    return _local(location) if uris.is_local(location) else location


def _without_host(location: str) -> str:
    """``mlflow-artifacts:///a`` is ``mlflow-artifacts:/a``: the host between the slashes is empty."""
    scheme, _, rest = location.partition(":")
    return f"{scheme.lower()}:{rest[2:] if rest.startswith('///') else rest}"


def _local(location: str) -> str:
    """A path, in whichever form it came; one that means something else in every folder is one of the server's."""
    if location.startswith(("//", "\\\\")) or uris.path_of(location).as_posix().startswith("//"):
        raise _refusal(location, "names a host to send artifacts to", "Write a path with one slash in front.")
    if location.startswith("/") or PureWindowsPath(location).drive or location.lower().startswith("file:"):
        return location
    return uris.path_of(location).as_posix()


def _refusal(location: str, why: str, hint: str) -> InvalidUri:
    return InvalidUri(f"The artifact location {uris.masked(location)!r} {why}.", hint=hint)
