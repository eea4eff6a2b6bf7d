"""Data behind a web address."""

from __future__ import annotations

import http.client
import os
import posixpath
import tempfile
import urllib.error
import urllib.request
from base64 import b64encode
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any
from urllib.parse import SplitResult, unquote, urlsplit, urlunsplit

from dovetail import uris
from dovetail.artifacts.progress import Transferred, followed
from dovetail.datasets.source import DatasetSource
from dovetail.errors import InvalidInput, InvalidUri, NotFound, StoreError, StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from http.client import HTTPMessage

    from typing_extensions import Self

__all__ = ["HTTPDatasetSource"]

_TIMEOUT = 60.0  # seconds without a byte
_BLOCK = 1 << 20
_GONE = (404, 410)
_LONGEST_NAME = 255  # bytes, on nearly every file system
_NAMELESS = "dataset_source"


class HTTPDatasetSource(DatasetSource):
    """A file behind a web address; fetched when it is loaded, not before.

    Args:
        url: The address, starting with ``http://`` or ``https://``. It is stored as it is: leave passwords out.

    Raises:
        InvalidInput: It is no such address.
    """

    source_type = "http"

    def __init__(self, url: str) -> None:
        _parts(url)
        self.url = url

    def load(self, dst_path: str | os.PathLike[str] | None = None) -> str:
        """Fetch the file.

        It has the name that the server gives it, else the last part of the address, else ``dataset_source``, and
        appears whole or not at all.

        Raises:
            NotFound: There is nothing at the address.
            InvalidInput: The server gives it a name that leads elsewhere.
            StoreError: The server cannot be reached, refuses, or breaks off; or the file cannot be written.
        """
        with _opened(self.url) as response:
            name = _file_name(response.headers, self.url)
            folder = Path(tempfile.mkdtemp(prefix="dovetail-")) if dst_path is None else Path(dst_path).absolute()
            try:
                return str(_saved(response, folder / name))
            except BaseException:
                if dst_path is None:
                    folder.rmdir()
                raise

    def to_dict(self) -> dict[str, Any]:
        """The address, as it was given."""
        return {"url": self.url}

    @classmethod
    def from_dict(cls, source_dict: dict[str, Any]) -> Self:
        """The file behind an address.

        Raises:
            InvalidInput: There is no web address in it.
        """
        return cls(cls.text_in(source_dict, "url"))

    @classmethod
    def can_resolve(cls, raw_source: Any) -> bool:
        """Whether it starts with ``http://`` or ``https://``."""
        return isinstance(raw_source, str) and raw_source.lower().startswith(("http://", "https://"))

    @classmethod
    def resolve(cls, raw_source: Any) -> DatasetSource:
        """The file behind an address.

        Raises:
            InvalidInput: It is no web address.
        """
        return cls(raw_source)


def _parts(url: object) -> SplitResult:
    try:
        parts = urlsplit(url) if isinstance(url, str) and url.isprintable() and " " not in url else None
        if parts and parts.scheme in ("http", "https") and parts.hostname and parts.port != 0:
            return parts
    except ValueError as error:
        raise InvalidUri(f"{uris.masked(repr(url))} is no web address: {uris.masked(str(error))}.") from error
    raise InvalidUri(f"{uris.masked(repr(url))} is no web address.", hint="Write https://host/path.")


class _WebOnly(urllib.request.HTTPRedirectHandler):
    """Follows a server to other addresses in the web only."""

    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> urllib.request.Request | None:
        _parts(newurl)
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _request(url: str) -> urllib.request.Request:
    parts = _parts(url)
    login, at, host = parts.netloc.rpartition("@")
    request = urllib.request.Request(urlunsplit(parts._replace(netloc=host, fragment="")))  # noqa: S310 - checked
    if at:  # never sent to where the server sends us on
        word = b64encode(":".join(map(unquote, login.partition(":")[::2])).encode()).decode()
        request.add_unredirected_header("Authorization", f"Basic {word}")
    return request


@contextmanager
def _opened(url: str) -> Iterator[http.client.HTTPResponse]:
    where = uris.masked(url)
    try:
        with urllib.request.build_opener(_WebOnly).open(_request(url), timeout=_TIMEOUT) as response:
            yield response
    except urllib.error.HTTPError as error:
        error.close()
        if error.code in _GONE:
            raise NotFound(f"There is nothing at {where}: the server answers {error.code}.") from error
        raise StoreError(f"{where} cannot be fetched: the server answers {error.code} {error.reason}.") from error
    except OSError as error:
        reason = getattr(error, "reason", error)
        raise StoreUnavailable(f"{where} cannot be reached: {uris.masked(str(reason))}.", hint="Try again.") from error
    except (http.client.HTTPException, UnicodeError) as error:
        raise StoreError(f"{where} cannot be fetched: {uris.masked(repr(error))}.") from error


def _file_name(headers: HTTPMessage, url: str) -> str:
    """The name the file gets here; what a server says must not lead anywhere else."""
    given = headers.get_filename()
    name = posixpath.basename(_parts(url).path) if given is None else given.strip()
    if _is_name(name):
        return name
    if given is None:
        return _NAMELESS
    raise InvalidInput(
        f"The server calls the file at {uris.masked(url)} {given[:80]!r}, which is no name of a file.",
        hint="Fetch it yourself, and give its path as the source.",
    )


def _is_name(name: str) -> bool:
    try:
        fine = bool(name) and name == uris.artifact_path(name) and "/" not in name and name.isprintable()
    except InvalidUri:
        return False
    return fine and len(os.fsencode(name)) <= _LONGEST_NAME


def _saved(response: http.client.HTTPResponse, target: Path) -> Path:
    partial = target.with_name(f".{os.urandom(8).hex()}.part")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with partial.open("xb") as file:
            _copied(response, file, target.name)
        partial.replace(target)
    except OSError as error:
        raise StoreError(
            f"{target} cannot be fetched: {error.strerror or error}.", hint="Try again, or choose another folder."
        ) from error
    finally:
        with suppress(OSError):  # moved away, or never made
            partial.unlink()
    return target


def _copied(response: http.client.HTTPResponse, file: IO[bytes], name: str) -> None:
    size, done = response.length, 0
    with followed(f"Downloading {name}", None) as told:
        while block := response.read(_BLOCK):
            done += file.write(block)
            if told is not None:
                told(Transferred(0, 1, done, size))
    if size is not None and done < size:  # a connection that breaks off looks like an end
        raise StoreUnavailable(f"Fetching {name} broke off after {done} of {size} bytes.", hint="Try again.")
