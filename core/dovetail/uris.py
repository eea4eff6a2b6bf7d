"""Locations: URIs, local paths, and the relative paths of artifacts."""

from __future__ import annotations

import os
import posixpath
import re
import sys
from pathlib import Path, PurePath
from urllib.parse import quote, unquote, unquote_to_bytes, urlsplit

from dovetail.errors import InvalidUri

__all__ = [
    "artifact_path",
    "is_local",
    "join",
    "masked",
    "path_of",
    "scheme_of",
    "split_fragment",
    "uri_of",
]

# A single letter before the colon is a Windows drive, not a scheme.
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.\-]+):")
_SURROGATE = re.compile("[\ud800-\udfff]")  # half a character: no UTF-8 can hold it
_LONGEST = 4096
_DRIVE = re.compile(r"[A-Za-z]:")
_PASSWORD = re.compile(r"(://[^/?#:@\s]*):[^/\s]*@")
# The same at the start of a text where it is not written properly: with slashes or spaces in it, or without the two
# slashes before it. What may be a port is none.
_ODD_PASSWORD = re.compile(
    r"\A([A-Za-z][A-Za-z0-9+.\-]+:)"
    r"(?:(//[^/?#:@\s\[]*:)(?!\d+(?:[/?#\s]|\Z))(?![^/\s]*@).*@|(?!/)[^\s/@]*@|/(?!/)[^\s/@:]*:[^\s/@]*@)",
    re.DOTALL,
)
# The name of a field of a query or fragment, and what says that its value is a password or the like. A name ends at
# the next separator, so that long texts are read once and not again from each of them.
_FIELD = re.compile(r"[?&;#]([^=&;#?\s]*)=")
_SECRET = re.compile(r"password|passwd|pwd|secret|token|credential|signature|sig|key|auth(?!or)", re.IGNORECASE)
_VALUE = re.compile(r"[^&;#\s]*")


def scheme_of(uri: str) -> str:
    """The scheme in lower case, ``file`` for plain paths.

    ``postgresql+psycopg2://…`` answers ``postgresql``: the part behind the plus names a driver.

    Raises:
        InvalidUri: It is empty or not text.
    """
    if not isinstance(uri, str) or not uri.strip():
        raise InvalidUri(f"A location must be non-empty text, not {masked(repr(uri))}.")
    match = _SCHEME.match(uri)
    return match.group(1).lower().split("+")[0] if match else "file"


def is_local(uri: str) -> bool:
    """Whether the location is a path or a ``file:`` URI on this machine."""
    return scheme_of(uri) == "file"


def path_of(uri: str) -> Path:
    """The local path that a plain path or ``file:`` URI names, made absolute.

    Raises:
        InvalidUri: It is not local, names another host, or has a query or fragment.
    """
    if not is_local(uri):
        raise InvalidUri(f"{masked(uri)!r} is not a local path.")
    path = _path_in(uri) if uri.lower().startswith("file:") else os.path.expanduser(uri)
    if "\x00" in path:
        raise InvalidUri(f"{masked(uri)!r} is not a local path: it holds a NUL.")
    if not _is_encodable(path):
        raise InvalidUri(f"{masked(uri)!r} is not a local path: it holds a lone surrogate.")
    return Path(os.path.abspath(path))


def _is_encodable(path: str) -> bool:
    try:
        return bool(os.fsencode(path))
    except UnicodeEncodeError:
        return False


def _path_in(uri: str) -> str:
    try:
        parts = urlsplit(uri)
        path = unquote_to_bytes(parts.path)
    except ValueError as error:
        raise InvalidUri(f"{masked(uri)!r} is not a local file: URI: {masked(str(error))}.") from error
    if parts.netloc.lower() not in ("", "localhost") or parts.query or parts.fragment:
        raise InvalidUri(f"{masked(uri)!r} is not a local file: URI.", hint="Write file:///absolute/path.")
    # Bytes, because a file name need not be text.
    text = os.fsdecode(path)
    return text.lstrip("/") if sys.platform == "win32" else text


def uri_of(path: str | os.PathLike[str]) -> str:
    """The ``file:`` URI of a local path."""
    return Path(os.path.abspath(path)).as_uri()


def join(uri: str, *parts: str) -> str:
    """A location below another one; slashes are seen to, queries are kept.

    The parts are joined as they are, except that a ``file:`` URI gets them percent-encoded, since ``path_of`` decodes
    it. What came from a client went through ``artifact_path`` before.
    """
    base, question, query = uri.partition("?") if "://" in uri else (uri, "", "")
    for part in parts:
        if part:
            base = _below(base, quote(part) if uri.lower().startswith("file:") else part)
    return f"{base}{question}{query}"


def _below(base: str, part: str) -> str:
    # The slashes that belong to the scheme stay: memory:// + a is memory://a, file:/// + a is file:///a.
    bare = re.fullmatch(r"[^:/]+:///?", base)
    return f"{base}{part}" if bare else f"{base.rstrip('/')}/{part}"


def split_fragment(uri: str) -> tuple[str, str]:
    """A location and what stands behind its ``#`` (empty if nothing)."""
    base, _, fragment = uri.partition("#")
    return base, fragment


def masked(text: str) -> str:
    """A location with its password and the secrets in its query and fragment hidden, or a message with such in it."""
    return _without_secrets(_PASSWORD.sub(r"\1:***@", _ODD_PASSWORD.sub(r"\1\2***@", text)))


def _without_secrets(text: str) -> str:
    parts, place = [], 0
    while field := _FIELD.search(text, place):
        parts.append(text[place : field.end()])
        place = field.end()
        if _SECRET.search(field[1]) and (value := _VALUE.match(text, place)) and value[0]:
            parts.append("***")
            place = value.end()
    return "".join(parts) + text[place:]


def artifact_path(path: str | os.PathLike[str] | None, what: str = "artifact path") -> str:
    """Return an artifact path in its one allowed form: relative, POSIX, below its root.

    This is the only check of artifact paths there is; stores and surfaces all call it.

    Args:
        path: What the caller gave; None and ``""`` mean the root and give ``""``.
        what: The word for the message.

    Raises:
        InvalidUri: It is absolute, climbs with ``..``, starts with a drive letter or scheme, holds a backslash,
            a NUL or a line break, or is percent-encoded into any of these.
    """
    text = _text(path)
    if text is None or len(text) > _LONGEST:
        raise InvalidUri(f"The {what} must be text of at most {_LONGEST} characters.")
    if not _stays_below(text):
        raise InvalidUri(
            f"The {what} {text!r} is not allowed.",
            hint="Use a relative path below the run's artifacts, with forward slashes and without '..'.",
        )
    normal = posixpath.normpath(text)
    return "" if normal == "." else normal


def _text(path: object) -> str | None:
    if path is None:
        return ""
    if isinstance(path, PurePath):
        return path.as_posix()  # a path of Windows has backslashes otherwise
    text = os.fspath(path) if isinstance(path, os.PathLike) else path
    return text if isinstance(text, str) else None


def _stays_below(text: str) -> bool:
    # A proxy may decode once more than we do, so every stage of percent-decoding must be harmless. Nobody encodes a
    # name eight times; decoding without a limit would let a short request keep the server busy.
    for _ in range(8):
        if _escapes(text):
            return False
        if (decoded := unquote(text)) == text:
            return True
        text = decoded
    return False


def _escapes(text: str) -> bool:
    if any(mark in text for mark in ("\\", "\x00", "\n", "\r")) or text.startswith(("/", "~")):
        return True
    if _DRIVE.match(text) or _SCHEME.match(text) or _SURROGATE.search(text):
        return True
    return any(_climbs(segment) for segment in text.split("/"))


def _climbs(segment: str) -> bool:
    # Windows drops dots and spaces at the end of a name, so that '.. ' is '..' there.
    return segment.startswith("..") and not segment.strip(". ")
