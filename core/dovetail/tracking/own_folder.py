"""The one folder that a run or logged model keeps its artifacts in, and how it is taken away."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote

from dovetail import locations, uris
from dovetail.errors import InvalidUri, NotFound, StoreError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dovetail.artifacts.store import ArtifactStore
    from dovetail.tracking.bin import Discarded

__all__ = ["OwnFolder", "place_below", "place_of", "remembered"]

_ATTEMPTS = 5
_LEVELS = 2
"""``<run id>/artifacts``: below an experiment's location everything is named by ids."""


def place_of(uri: str) -> str:
    """A location in the one spelling by which places are compared: without query, local ones as real paths."""
    try:
        if not uris.is_local(uri):
            uri = _innermost(uri)
        if uris.is_local(uri):
            return f"file:{os.path.realpath(uris.path_of(uri))}"
    except InvalidUri:
        return uri
    scheme, colon, rest = _without_query(uri).partition(":")
    return f"{scheme.lower()}{colon}{rest.rstrip('/')}"


def _innermost(uri: str) -> str:
    """Where a chain of fsspec leads, as in ``simplecache::file:///models``; ``local:`` is another word for files."""
    scheme, colon, rest = uri.rpartition("::")[2].partition(":")
    return f"file:{rest}" if colon and scheme.lower() == "local" else f"{scheme}{colon}{rest}"


def place_below(uri: str) -> str:
    """The same for the folder of a run or model, two names below a location that many have in common.

    That location is looked at once; links are looked for in it alone.
    """
    base, *names = _without_query(uri).rstrip("/").rsplit("/", _LEVELS)
    if len(names) < _LEVELS or not base or base.endswith("/") or {"", ".", ".."} & set(names):
        return place_of(uri)
    local = base.lower().startswith("file:")
    return "/".join([remembered(base).rstrip("/"), *(map(unquote, names) if local else names)])


remembered = lru_cache(maxsize=10_000)(place_of)
"""Whoever begins to compare places forgets what was remembered before."""


def _without_query(uri: str) -> str:
    return uri.partition("?")[0].partition("#")[0] if "://" in uri else uri


@dataclass(frozen=True)
class OwnFolder:
    """A folder that nobody but one run or logged model has any business with.

    Args:
        uri: The folder.
        above: The location that the experiment's artifacts go to.
        path: The way from there.
    """

    uri: str
    above: str
    path: str

    @classmethod
    def of(cls, item: Discarded) -> OwnFolder:
        """The folder of a run or logged model.

        Every store puts them into ``<location>/<run id>/artifacts`` and ``<location>/models/<model id>/artifacts``.
        Whatever else stands there, a bucket, a home folder, nothing at all, may be somebody else's.

        Raises:
            InvalidUri: The artifact location is none of these.
        """
        path = f"{item.id}/artifacts" if item.kind == "run" else f"models/{item.id}/artifacts"
        base, question, query = (
            item.artifact_uri.partition("?") if "://" in item.artifact_uri else (item.artifact_uri, "", "")
        )
        written = quote(path) if base.lower().startswith("file:") else path
        above = base.removesuffix(written)
        if not item.artifact_uri or above == base or not above.endswith("/"):
            raise InvalidUri(
                f"its artifact location {uris.masked(item.artifact_uri)!r} does not end with {written}, so that what "
                "lies there may not be its own"
            )
        return cls(item.artifact_uri, f"{above}{question}{query}", path)

    @property
    def place(self) -> str:
        """The folder as places are compared."""
        return place_of(self.uri)

    def require_no_link(self) -> None:
        """See to it that the way from the experiment's location to the folder leads through no symbolic link.

        Raises:
            InvalidUri: It does.
        """
        if self.place != f"{place_of(self.above).rstrip('/')}/{self.path}":
            raise InvalidUri(f"a symbolic link leads from its artifact location {uris.masked(self.uri)} elsewhere")

    def size(self) -> int:
        """Bytes of the files in it.

        Raises:
            DovetailError: It cannot be looked at.
        """
        store = locations.artifact_store(self.uri)
        return sum(_sizes(store))

    def delete(self) -> None:
        """Remove everything in it; what is gone already is fine.

        Raises:
            DovetailError: It cannot be removed, or somebody goes on writing there.
        """
        store = locations.artifact_store(self.uri)
        for _ in range(_ATTEMPTS):
            self._empty(store)
            if next(iter(store.list("")), None) is None:
                return
        raise StoreError(f"{uris.masked(self.uri)} is filled as fast as it is emptied.", hint="See who writes there.")

    def _empty(self, store: ArtifactStore) -> None:
        with suppress(NotFound):
            if uris.is_local(self.uri):
                # From above, so that the store itself sees where links lead, and removes folders that are empty then.
                locations.artifact_store(self.above).delete(self.path)
            else:
                store.delete("")


def _sizes(store: ArtifactStore) -> Iterator[int]:
    folders = [""]
    while folders:
        for info in store.list(folders.pop()):
            if info.is_dir:
                folders.append(info.path)
            else:
                yield info.file_size or 0
