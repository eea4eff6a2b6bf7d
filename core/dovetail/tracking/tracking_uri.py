"""A tracking URI as people write it, and what it means from any working folder."""

from __future__ import annotations

import os
import re
from pathlib import Path
from urllib.parse import quote

from dovetail import uris
from dovetail.errors import ForeignLayout, InvalidUri, PluginMissing

__all__ = ["DEFAULT_FILE", "GUARD", "resolved", "text_of"]

DEFAULT_FILE = "dovetail.db"
# Marks a URI that MLflow must not open itself; see docs/explanation/decisions.md.
GUARD = "dovetail+"


def resolved(uri: str | os.PathLike[str]) -> str:
    """A URI that means the same from any working folder, its scheme in lower case.

    Raises:
        InvalidUri: It cannot be read as a location.
        ForeignLayout: It is a folder with runs of MLflow's.
        PluginMissing: It is one of the words by which MLflow means a service of Databricks'.
    """
    text = text_of(uri).removeprefix(GUARD)
    if text in _SERVICES and isinstance(uri, str):
        raise PluginMissing(f"No plugin answers for {text!r}.", hint=f"A folder of that name is ./{text}.")
    if _ADDRESS.match(text) and isinstance(uri, str) and not Path(text).exists():
        raise InvalidUri(
            f"{text!r} looks like the address of a server.", hint=f"Write http://{text}, or ./{text} for a folder."
        )
    scheme = uris.scheme_of(text)
    if scheme == "file":
        return _from_path(_path_of(text), text)
    text = _with_lower_scheme(text)
    if scheme == "sqlite" and (relative := _RELATIVE.match(text)):
        return f"{relative[1]}{_escaped(_working_folder())}/{text[relative.end() :]}"
    if scheme == "dir" and (relative := _RELATIVE_FOLDER.match(text)):
        return f"dir://{quote(_working_folder().as_posix())}/{text[relative.end() :]}"
    return text


# A host and its port, without what would say that it is one; a drive of Windows has no digits behind its colon.
_ADDRESS = re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]*:[0-9]{2,5}(/|\Z)")
_SERVICES = ("databricks", "databricks-uc")
# Three slashes and no fourth: a relative file, as sqlite URIs have it; ``:memory:`` is none, a drive is absolute.
_RELATIVE = re.compile(r"([^:/]+:///)(?=[^/?:])(?![A-Za-z]:)")
# A folder of files is relative without slashes, as in ``dir:runs``: its three slashes are those of ``file:///``.
_RELATIVE_FOLDER = re.compile(r"dir:(?=[^/~?#])")


def text_of(uri: str | os.PathLike[str]) -> str:
    """A location's text, as it was written.

    Raises:
        InvalidUri: It is none, or none that anything could be at.
    """
    text = os.fspath(uri) if isinstance(uri, os.PathLike) else uri
    if not isinstance(text, str):
        raise InvalidUri(f"A location must be text or a path, not {uris.masked(repr(uri))}.")
    if "\0" in text or _HALF.search(text):
        raise InvalidUri(f"{uris.masked(text)!r} is no location: it holds a NUL, or bytes that are no text.")
    if text.count("/") > _DEEPEST:
        raise InvalidUri(f"The location {uris.masked(text)[:200]!r}... has more than {_DEEPEST} slashes.")
    return text


# Folders within folders are made one in the other; nobody has as many as Python may call functions.
_DEEPEST = 500
# Half a character: what Python makes of a byte that is no text.
_HALF = re.compile("[\ud800-\udfff]")


def _with_lower_scheme(text: str) -> str:
    scheme, colon, rest = text.partition(":")
    return f"{scheme.lower()}{colon}{rest}"


def _working_folder() -> Path:
    try:
        return Path.cwd()
    except FileNotFoundError as error:
        raise InvalidUri(
            "The working folder was removed, and the tracking location is relative to it.",
            hint="Change into a folder that is there, or give an absolute location.",
        ) from error


def _path_of(text: str) -> Path:
    # A path that is absolute needs no working folder.
    if not text.lower().startswith("file:") and not text.startswith(("/", "~")):
        _working_folder()
    return uris.path_of(text)


def _escaped(path: Path) -> str:
    """The path as a sqlite URI has it, in which ``%`` and ``?`` mean something else."""
    return path.as_posix().replace("%", "%25").replace("?", "%3F")


def _from_path(path: Path, text: str) -> str:
    if _HALF.search(str(path)):
        raise InvalidUri(f"{uris.masked(text)!r} is no location: its path holds bytes that are no text.")
    if path.suffix in (".db", ".sqlite", ".sqlite3") and not text.endswith(("/", os.sep)) and not path.is_dir():
        return f"sqlite:///{_escaped(path)}"
    # A folder holds the default database, so that `set_tracking_uri("./runs")` works as a place.
    own = path / DEFAULT_FILE
    try:
        if not own.exists():
            _refuse_strangers(path, text)
    except OSError as error:  # a name that is too long, a folder that may not be looked into
        raise InvalidUri(f"The location {text[:200]!r} cannot be looked at: {error.strerror}.") from error
    return f"sqlite:///{_escaped(own)}"


def _refuse_strangers(path: Path, text: str) -> None:
    if path.exists() and not path.is_dir():
        raise InvalidUri(
            f"The tracking location {text!r} is a file that is no database.", hint="Write sqlite:///<file>.db."
        )
    if next(path.glob("*/meta.yaml"), None) is not None:
        raise ForeignLayout(
            f"{path} holds runs in MLflow's own layout; it is left as it is.",
            hint=f"`dovetail import mlflow {path}` brings them into the store in force, such as sqlite:///{DEFAULT_FILE}.",
        )
