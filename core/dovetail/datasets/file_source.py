"""Data in files: on this machine, in an artifact store, or among the artifacts of a run."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Any

from dovetail import locations, plugins, uris
from dovetail.artifacts.folder import fetched
from dovetail.datasets.source import DatasetSource
from dovetail.errors import DovetailError, InvalidInput, InvalidUri, NotFound

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = ["FileSystemDatasetSource", "is_claimed", "source_type_of"]

LOCAL = "local"
_HOST = re.compile(r"\[[0-9A-Fa-f:.]*\]")  # an address, whose colons mean nothing else
_ANY = "*"  # the key of the store that takes what nobody claims
# Schemes of files that people name before the plugin that opens them is installed.
_KNOWN = frozenset(
    "abfs abfss b2 ftp gs hdfs models r2 runs s3 sftp viewfs wasb wasbs".split()  # noqa: SIM905 - read as a sentence
)


class FileSystemDatasetSource(DatasetSource):
    """A file or folder.

    Args:
        uri: A path, or the URI of an artifact store such as ``s3://bucket/train.csv``, or ``runs:/<run id>/<path>``.
            It is stored as it is: leave passwords out.

    Raises:
        InvalidInput: It is no location.
    """

    def __init__(self, uri: str | os.PathLike[str]) -> None:
        text = os.fspath(uri) if isinstance(uri, os.PathLike) else uri
        if not isinstance(text, str):
            raise InvalidUri(f"A {type(self).__name__} needs a path or URI, not a {type(text).__name__}.")
        self.uri: str = text
        self._source_type = source_type_of(text)
        if self._source_type == LOCAL:
            uris.path_of(text)

    @property
    def source_type(self) -> str:
        """``local``, or the scheme of the URI."""
        return self._source_type

    def load(self, dst_path: str | os.PathLike[str] | None = None) -> str:
        """The path of the file or folder on this machine; what is here already is copied only where ``dst_path`` is.

        Raises:
            NotFound: There is nothing.
            PluginMissing: No installed plugin opens the place.
            StoreError: It cannot be reached, or not be written.
        """
        if self._source_type == LOCAL and dst_path is None:
            return str(self._here())
        store, path = locations.locate(self.uri)
        return str(fetched(store, path, dst_path))

    def _here(self) -> os.PathLike[str]:
        path = uris.path_of(self.uri)
        if path.exists():
            return path
        raise NotFound(f"{path} is not there any more.", hint="Relative paths are read from the working folder.")

    def to_dict(self) -> dict[str, Any]:
        """The URI, as it was given."""
        return {"uri": self.uri}

    @classmethod
    def from_dict(cls, source_dict: dict[str, Any]) -> Self:
        """The file that a URI names.

        Raises:
            InvalidInput: There is no URI in it.
        """
        return cls(cls.text_in(source_dict, "uri"))

    @classmethod
    def can_resolve(cls, raw_source: Any) -> bool:
        """Whether it is a path, or a URI of a scheme of files."""
        text = os.fspath(raw_source) if isinstance(raw_source, os.PathLike) else raw_source
        if not isinstance(text, str) or not text.strip():
            return False
        scheme = uris.scheme_of(text)
        return scheme == "file" or is_claimed(scheme)

    @classmethod
    def resolve(cls, raw_source: Any) -> DatasetSource:
        """The file that a path or URI names.

        Raises:
            InvalidInput: It is no location.
        """
        return cls(raw_source)

    @classmethod
    def opened(cls, raw_source: Any) -> Self | None:
        """The file in a store of a scheme that nobody claims by name, if a store can be opened there."""
        if not isinstance(raw_source, str) or "://" not in raw_source or _ANY not in plugins.offers("artifact_stores"):
            return None
        try:
            locations.locate(raw_source)
        except DovetailError:  # nobody's after all; whoever asked says so
            return None
        return cls(raw_source)


def is_claimed(scheme: str) -> bool:
    """Whether files are known to lie under this scheme."""
    return scheme in _KNOWN or (scheme != _ANY and scheme in plugins.offers("artifact_stores"))


def source_type_of(uri: str) -> str:
    """The word that is stored for a location.

    Raises:
        InvalidInput: It is empty, or a web page's.
    """
    scheme = uris.scheme_of(uri)
    if scheme in ("http", "https"):
        raise InvalidInput(f"{uris.masked(uri)!r} is a location in the web.", hint="Use HTTPDatasetSource.")
    if "::" in _HOST.sub("", uri) and scheme != "file":  # leads from one place into another in the language of fsspec
        raise InvalidUri(f"{uris.masked(uri)!r} is a chain of locations.", hint="Name the file by one location.")
    return LOCAL if scheme == "file" else scheme
