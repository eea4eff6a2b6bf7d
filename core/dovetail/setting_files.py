"""The files that settings are read from: ``dovetail.toml``, ``pyproject.toml`` and ``.env``.

They are looked for from the working folder upwards, at each question anew, and read again only when they have changed.
A file that says nothing of us is somebody else's, and may be as broken as they like.
"""

# Settings are asked for at many calls, and pathlib takes ten times as long to look for files.
# ruff: noqa: PTH109, PTH110, PTH111, PTH116, PTH118, PTH119, PTH120

from __future__ import annotations

import errno
import os
import re
import stat
import sys
import warnings
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from dovetail.errors import InvalidSetting

__all__ = ["Found", "Source", "content_of", "entries_of_dotenv", "look"]

# Larger ones are no lists of settings.
_LARGEST = 1 << 20
_MOST_WARNINGS = 5
# What may be a table or key of ours, even in a file that is broken; a comment or a requirement is none.
_OUR_TABLE = re.compile(
    rb"""^[^#\r\n]*\btool["']?[ \t]*\.[ \t]*["']?dovetail\b"""
    rb"""|(?:^|[{,])[ \t]*(?:dovetail|"dovetail"|'dovetail')[ \t]*[.=]""",
    re.MULTILINE,
)
# At the start of a line, or behind one of the marks that a file of UTF-8 or UTF-16 begins with.
_NAME = re.compile(
    rb"(?:\A(?:\xef\xbb\xbf|\xff\xfe|\xfe\xff)?|[\r\n])[^\S\r\n]*(?:export[^\S\r\n]+)?'?([A-Z][A-Z0-9_]*)'?[^\S\r\n]*="
)


class Source(NamedTuple):
    """A regular file in one state of it."""

    path: str
    state: tuple[int, ...]


class Found(NamedTuple):
    """What there is: the file with our settings, its entries, and each ``.env`` on the way to it, nearest first."""

    path: str
    entries: dict[str, Any]
    dotenvs: list[Source]


def look(names: frozenset[str]) -> Found:
    """Look for files from the working folder up to the nearest one with our settings.

    Without one, a repository's root or the home folder is the last that counts.

    Args:
        names: The settings there are; others in a file are warned about.

    Raises:
        InvalidSetting: A file of ours cannot be read, or is not what it should be.
    """
    dotenvs = []
    for dotenv, *ours in _paths():
        if (state := _state(dotenv)) is not None:
            dotenvs.append(Source(dotenv, state))
        for path in ours:
            if (state := _state(path)) is None:
                continue
            entries = _parsed(path, names, *state)
            if entries is not None:
                return Found(path, entries, dotenvs)
    return Found("", {}, dotenvs)


def _paths() -> list[tuple[str, ...]]:
    try:
        return _paths_above(os.getcwd(), os.path.expanduser("~"))
    except FileNotFoundError:  # the working folder was removed
        return []


@lru_cache(maxsize=16)
def _paths_above(folder: str, home: str) -> list[tuple[str, ...]]:
    """What to look for in each folder. It is remembered: a working folder hardly ever becomes part of a repository."""
    paths = []
    while True:
        paths.append(tuple(os.path.join(folder, name) for name in (".env", "dovetail.toml", "pyproject.toml")))
        above = os.path.dirname(folder)
        if folder in (home, above) or os.path.exists(os.path.join(folder, ".git")):
            return paths
        folder = above


def _state(path: str) -> tuple[int, ...] | None:
    """What changes when a file does; None for what is no regular file (an environment may be called .env too)."""
    try:
        if not os.access(path, os.F_OK):  # there hardly ever is one, and this raises nothing then
            return None
        status = os.stat(path)
    except (OSError, ValueError):
        return None
    return (status.st_mtime_ns, status.st_size, status.st_ino) if stat.S_ISREG(status.st_mode) else None


def content_of(path: str) -> bytes:
    """What is in a regular file of at most 1 MiB; of anything else nothing is kept, and no pipe is waited for.

    Raises:
        OSError: It is another kind of file, is larger, or cannot be read.
    """
    if not stat.S_ISREG(os.stat(path).st_mode):
        raise OSError(errno.EINVAL, "it is no regular file")
    with Path(path).open("rb") as stream:
        content = stream.read(_LARGEST + 1)
    if len(content) > _LARGEST:
        raise OSError(errno.EFBIG, "it is larger than 1 MiB")
    return content


# --- dovetail.toml and pyproject.toml -------------------------------------------------------------------------


@lru_cache(maxsize=16)
def _parsed(path: str, names: frozenset[str], *state: int) -> dict[str, Any] | None:
    """The entries of a file in one state of it; None for a ``pyproject.toml`` that has none for us."""
    del state
    own = os.path.basename(path) == "dovetail.toml"
    content = _content(path, own)
    if not own and b"dovetail" not in content:
        return None
    try:
        document = _toml(path, content)
    except InvalidSetting:
        if own or _OUR_TABLE.search(content):
            raise
        return None
    entries = document if own else _below(_below(document, "tool", path), "dovetail", path)
    _warn_of_strangers(path, entries.keys() - names, names)
    return entries if own or entries else None


def _content(path: str, own: bool) -> bytes:
    try:
        return content_of(path)
    except OSError as error:
        if error.errno == errno.EFBIG and not own:  # somebody else's, most likely
            warnings.warn(f"{path} is not looked through for settings: {error.strerror}.", stacklevel=2)
            return b""
        hint = "Correct the file or its rights, or move it away."
        raise InvalidSetting(f"{path} cannot be read: {error.strerror}.", hint=hint) from error


def _toml(path: str, content: bytes) -> dict[str, Any]:
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib
    try:
        return tomllib.loads(content.decode("utf-8"))
    except (ValueError, RecursionError) as error:  # neither UTF-8 nor TOML, or brackets within brackets without end
        reason = "it is nested too deeply" if isinstance(error, RecursionError) else error
        raise InvalidSetting(
            f"{path} is not valid TOML: {reason}.", hint="Correct the file, or move it away."
        ) from error


def _below(table: dict[str, Any], key: str, path: str) -> dict[str, Any]:
    inner = table.get(key, {})
    if not isinstance(inner, dict):
        kind = type(inner).__name__
        raise InvalidSetting(f"{key} in {path} is a {kind}; it must be a table.", hint="Write [tool.dovetail].")
    return inner


def _warn_of_strangers(path: str, strangers: set[str], names: frozenset[str]) -> None:
    """A setting that nobody reads is a slip of the pen, or meant for another version: it is said, once a state."""
    from difflib import get_close_matches

    for name in sorted(strangers)[:_MOST_WARNINGS]:
        near = get_close_matches(name[:80], names, n=1)
        meant = f"; did you mean {near[0]}?" if near else "."
        warnings.warn(f"{path} sets {name[:80]!r}, which is no setting of dovetail{meant}", stacklevel=2)
    if (more := len(strangers) - _MOST_WARNINGS) > 0:
        warnings.warn(f"{path} sets {more} more names that are no settings of dovetail.", stacklevel=2)


# --- .env -----------------------------------------------------------------------------------------------------


def entries_of_dotenv(source: Source, variables: frozenset[str]) -> dict[str, str]:
    """Our variables in a ``.env``; nothing else in it is looked at.

    Args:
        source: The file.
        variables: The names of ours.

    Raises:
        InvalidSetting: It sets one of them, but cannot be read as variables.
    """
    return _dotenv(source.path, variables, *source.state)


@lru_cache(maxsize=16)
def _dotenv(path: str, variables: frozenset[str], *state: int) -> dict[str, str]:
    del state
    content = _content_of_dotenv(path)
    # Without the zeros, names are seen in UTF-16 too, which some shells of Windows write.
    named = {name.decode() for name in _NAME.findall(content.replace(b"\0", b""))}
    _warn_of_slips(path, named, variables)
    ours = named & variables
    return _values(path, content, ours) if ours else {}


def _content_of_dotenv(path: str) -> bytes:
    """What is in it; one that cannot be read is only spoken of, since it may not be meant for us."""
    try:
        return content_of(path)
    except OSError as error:
        reason = error.strerror
    told = f"{path} is not looked through for settings: {reason}. DOVETAIL_DOTENV=false leaves such files out."
    warnings.warn(told, stacklevel=2)
    return b""


def _values(path: str, content: bytes, ours: set[str]) -> dict[str, str]:
    from dotenv import dotenv_values

    found = dotenv_values(stream=_stream(path, content, ours), interpolate=False)
    # Other programs' lines are theirs; one of ours that was dropped as unreadable would send runs somewhere else.
    inside = "".join(filter(None, found.values()))
    for name in sorted(ours):
        if name not in found and name not in inside:
            raise _broken(path, name, f"Write {name}=<value>, in quotes if it has spaces.")
        if "${" in (found.get(name) or ""):
            raise _broken(path, name, "Variables are not filled in there; write the value out.")
    return {name: value for name in ours if (value := found.get(name))}


def _stream(path: str, content: bytes, ours: set[str]) -> Any:
    import io

    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text:
        raise _broken(path, min(ours), "Save the file as UTF-8.")
    return io.StringIO(text)


def _broken(path: str, name: str, hint: str) -> InvalidSetting:
    return InvalidSetting(f"{path} sets {name} in a way that cannot be read.", hint=hint)


def _warn_of_slips(path: str, named: set[str], variables: frozenset[str]) -> None:
    from difflib import get_close_matches

    for name in sorted(named - variables):
        if name.startswith("DOVETAIL_") and (near := get_close_matches(name, variables, n=1, cutoff=0.9)):
            warnings.warn(f"{path} sets {name}, which is no setting; did you mean {near[0]}?", stacklevel=2)
