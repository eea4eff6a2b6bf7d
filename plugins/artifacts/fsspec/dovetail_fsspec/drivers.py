"""Finding the fsspec driver behind a URI."""

from __future__ import annotations

from typing import Any

from dovetail import uris
from dovetail.errors import InvalidUri, PluginMissing
from dovetail_fsspec.failures import translated

__all__ = ["connected", "driver_of", "spelled_for_fsspec"]


def spelled_for_fsspec(uri: str) -> str:
    """The URI with the two slashes that fsspec takes a scheme by: ``memory:`` becomes ``memory://``."""
    scheme, colon, rest = uri.partition(":")
    return uri if not colon or rest.startswith(("//", ":")) else f"{scheme}://{rest}"


def driver_of(uri: str) -> Any:
    """The file system class that fsspec has for the scheme of a URI; what it stands on is imported.

    Raises:
        PluginMissing: fsspec does not know the scheme, or what it needs for it is not installed.
    """
    from fsspec.registry import get_filesystem_class

    scheme = spelled_for_fsspec(uri).split(":")[0].lower()
    try:
        return get_filesystem_class(scheme)
    except ImportError as error:
        raise _incomplete(scheme, error) from error
    except ValueError as error:
        raise PluginMissing(
            f"Nothing installed knows the scheme {scheme!r} of the artifact location {uris.masked(uri)!r}.",
            hint="Look for a misspelling, or install the dovetail plugin or fsspec driver for it.",
        ) from error


def connected(uri: str, **options: Any) -> tuple[Any, str]:
    """A file system of its own for a URI, and the root there, as fsspec spells it.

    Args:
        uri: The root.
        options: What the driver takes beside what the URI says.

    Raises:
        InvalidUri: The driver cannot read the URI.
        StoreUnavailable: It cannot connect.
    """
    from fsspec.core import url_to_fs

    with translated(f"open {uri}", kinds=Exception):
        try:
            # Its own instance, so that switching the listings cache off changes nothing for other users of fsspec.
            # With the cache, a file that another process put there would not be seen.
            system, root = url_to_fs(spelled_for_fsspec(uri), skip_instance_cache=True, **options)
        except (ValueError, TypeError) as error:
            raise InvalidUri(f"{uris.masked(uri)!r} is no complete location: {error}.") from error
    if hasattr(system, "dircache"):
        system.dircache.use_listings_cache = False
    return system, root.rstrip("/")


def _incomplete(scheme: str, error: ImportError) -> PluginMissing:
    """The scheme is known, but not all that it needs is there."""
    from fsspec.registry import known_implementations

    package = known_implementations[scheme]["class"].split(".")[0]
    missing = getattr(error.__cause__, "name", None) or ""
    # The module that is missing: the driver itself, or what a driver that comes with fsspec stands on.
    install = missing.split(".")[0] if package == "fsspec" and missing else package
    return PluginMissing(
        f"The scheme {scheme!r} needs a library that is not installed: {error.__cause__ or error}.",
        hint=f"pip install {install}",
    )
