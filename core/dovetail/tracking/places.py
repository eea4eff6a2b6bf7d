"""Where tracking happens in this process: the tracking URI and the store behind it."""

from __future__ import annotations

import os
import re
import threading
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from dovetail import plugins, settings, uris
from dovetail.errors import ForeignLayout, InvalidUri
from dovetail.tracking.recorder import DirectRecorder

if TYPE_CHECKING:
    from dovetail.tracking.recorder import Recorder
    from dovetail.tracking.store import TrackingStore

__all__ = [
    "artifact_location",
    "forget_places",
    "forget_stores",
    "get_tracking_uri",
    "is_tracking_uri_set",
    "open_store",
    "recorder",
    "resolved",
    "set_tracking_uri",
    "tracking_store",
]

DEFAULT_FILE = "dovetail.db"
# Marks a URI that MLflow must not open itself; see docs/explanation/decisions.md.
GUARD = "dovetail+"

_lock = threading.RLock()
_chosen: str | None = None
_stores: dict[str, TrackingStore] = {}
_named_neighbours = False


def set_tracking_uri(uri: str | os.PathLike[str] | None) -> None:
    """Choose where runs are tracked, for this process; None or an empty URI goes back to the settings.

    Runs that are active stay where they were started.

    Args:
        uri: ``sqlite:///file.db``, another plugin's scheme, or a path: a ``.db`` file means a sqlite database, a folder
            one in it. What is relative is so to the present working folder.

    Raises:
        InvalidUri: It cannot be read as a location.
        ForeignLayout: It is a folder with runs of MLflow's.
        PluginMissing: Nothing installed answers for its scheme.
    """
    global _chosen  # noqa: PLW0603 - the one place that holds this process's choice
    if uri is None or uri == "":
        _chosen = None
        return
    absolute = resolved(uri)
    plugins.find("tracking_stores", uris.scheme_of(absolute))
    _chosen = absolute


def get_tracking_uri() -> str:
    """The tracking URI in force: chosen, set by a setting, or ``sqlite:///<working folder>/dovetail.db``."""
    if _chosen is not None:
        return _chosen
    return resolved(settings.get("tracking_uri") or DEFAULT_FILE)


def is_tracking_uri_set() -> bool:
    """Whether somebody chose a tracking URI, by call, environment or file."""
    return _chosen is not None or settings.get("tracking_uri") is not None


def tracking_store() -> TrackingStore:
    """The tracking store in force."""
    uri = _chosen or settings.get("tracking_uri")
    if uri is None:
        _name_neighbours()
    return open_store(uri or DEFAULT_FILE)


def open_store(uri: str | os.PathLike[str]) -> TrackingStore:
    """The store at a URI; one instance a process and URI."""
    if isinstance(uri, str) and (known := _stores.get(uri)) is not None:
        return known
    absolute = resolved(uri)
    with _lock:
        if absolute not in _stores:
            _stores[absolute] = plugins.find("tracking_stores", uris.scheme_of(absolute))(absolute)
        return _stores[absolute]


def artifact_location(location: str | os.PathLike[str]) -> str:
    """An artifact location that means the same from any working folder; paths become ``file:`` URIs.

    Raises:
        InvalidUri: It cannot be read as one, or has a fragment.
        PluginMissing: Nothing installed answers for its scheme.
    """
    text = _text(location)
    local = uris.is_local(text)
    if not local and "#" in text:
        raise InvalidUri(f"The artifact location {uris.masked(text)!r} has a fragment.", hint="Leave out the '#'.")
    plugins.find("artifact_stores", uris.scheme_of(text))
    return uris.uri_of(uris.path_of(text)) if local else text


def recorder(uri: str | None = None) -> Recorder:
    """What fluent log calls write through.

    Args:
        uri: The tracking URI; by default the one in force.
    """
    return DirectRecorder(tracking_store() if uri is None else open_store(uri))


def forget_stores() -> None:
    """Close and forget every open store; the next use opens anew."""
    with _lock, ExitStack() as closing:
        for store in _stores.values():
            closing.callback(store.close)
        _stores.clear()


def forget_places() -> None:
    """Be as if the process had just started: no URI chosen, no store open, nothing said about neighbours."""
    global _chosen, _named_neighbours
    _chosen, _named_neighbours = None, False
    forget_stores()


def resolved(uri: str | os.PathLike[str]) -> str:
    """A URI that means the same from any working folder.

    Raises:
        InvalidUri: It cannot be read as a location.
        ForeignLayout: It is a folder with runs of MLflow's.
    """
    text = _text(uri).removeprefix(GUARD)
    scheme = uris.scheme_of(text)
    if scheme == "sqlite" and (relative := _RELATIVE.match(text)):
        return f"{relative[1]}{_escaped(_working_folder())}/{text[relative.end() :]}"
    return _from_path(_path_of(text), text) if scheme == "file" else text


# Three slashes and no fourth: a relative file, as sqlite URIs have it; ``:memory:`` is none, a drive is absolute.
_RELATIVE = re.compile(r"([^:/]+:///)(?=[^/?:])(?![A-Za-z]:)")


def _text(uri: str | os.PathLike[str]) -> str:
    text = os.fspath(uri) if isinstance(uri, os.PathLike) else uri
    if not isinstance(text, str):
        raise InvalidUri(f"A location must be text or a path, not {uri!r}.")
    return text


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
    if path.suffix in (".db", ".sqlite", ".sqlite3"):
        return f"sqlite:///{_escaped(path)}"
    # A folder holds the default database, so that `set_tracking_uri("./runs")` works as a place.
    own = path / DEFAULT_FILE
    if not own.exists():
        _refuse_strangers(path, text)
    return f"sqlite:///{_escaped(own)}"


def _refuse_strangers(path: Path, text: str) -> None:
    if path.exists() and not path.is_dir():
        raise InvalidUri(
            f"The tracking location {text!r} is a file that is no database.", hint="Write sqlite:///<file>.db."
        )
    if next(path.glob("*/meta.yaml"), None) is not None:
        raise ForeignLayout(
            f"{path} holds runs in MLflow's own layout; it is left as it is.",
            hint=f"Track beside it, such as in sqlite:///{DEFAULT_FILE}.",
        )


def _name_neighbours() -> None:
    """Say once that MLflow's own data lies here, since people expect to see it."""
    global _named_neighbours  # noqa: PLW0603 - said once a process
    if _named_neighbours:
        return
    _named_neighbours = True
    found = [name for name in ("mlflow.db", "mlruns") if Path(name).exists()]
    if found and not Path(DEFAULT_FILE).exists():
        import warnings

        warnings.warn(
            f"{' and '.join(found)} here are MLflow's and stay as they are; dovetail keeps its runs in {DEFAULT_FILE}.",
            stacklevel=3,
        )


def _begin_anew_after_fork() -> None:
    """Another thread may have held the lock when the process forked; in the child nobody would ever release it."""
    global _lock  # noqa: PLW0603 - the module's state
    _lock = threading.RLock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_begin_anew_after_fork)
