"""Where tracking happens in this process: the tracking URI and the store behind it."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from dovetail import plugins, settings, uris
from dovetail.errors import InvalidUri

if TYPE_CHECKING:
    from dovetail.tracking.recorder import Recorder
    from dovetail.tracking.store import TrackingStore

__all__ = [
    "artifact_location",
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


def set_tracking_uri(uri: str | os.PathLike[str]) -> None:
    """Choose where runs are tracked, for this process; an empty URI goes back to the settings.

    Args:
        uri: ``sqlite:///file.db``, another plugin's scheme, or a path: a ``.db`` file means a sqlite database.

    Raises:
        InvalidUri: It cannot be read as a location.
        PluginMissing: Nothing installed answers for its scheme.
    """
    global _chosen  # noqa: PLW0603 - the one place that holds this process's choice
    text = os.fspath(uri)
    if not text:
        _chosen = None
        return
    absolute = resolved(text)
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
    if not is_tracking_uri_set():
        _name_neighbours(Path.cwd())
    return open_store(get_tracking_uri())


def open_store(uri: str) -> TrackingStore:
    """The store at a URI; one instance a process and URI."""
    absolute = resolved(uri)
    with _lock:
        if absolute not in _stores:
            _stores[absolute] = plugins.find("tracking_stores", uris.scheme_of(absolute))(absolute)
        return _stores[absolute]


def artifact_location(location: str | os.PathLike[str]) -> str:
    """An artifact location that means the same from any working folder; paths become ``file:`` URIs.

    Raises:
        PluginMissing: Nothing installed answers for its scheme.
    """
    text = os.fspath(location)
    plugins.find("artifact_stores", uris.scheme_of(text))
    return uris.uri_of(uris.path_of(text)) if uris.is_local(text) else text


def recorder() -> Recorder:
    """What fluent log calls write through."""
    from dovetail.tracking.recorder import DirectRecorder

    return DirectRecorder(tracking_store())


def forget_stores() -> None:
    """Close and forget every open store; the next use opens anew."""
    with _lock:
        for store in _stores.values():
            store.close()
        _stores.clear()


def resolved(text: str) -> str:
    """A URI that means the same from any working folder."""
    if text.startswith(GUARD):
        return text[len(GUARD) :]
    scheme = uris.scheme_of(text)
    if scheme == "sqlite" and text.startswith("sqlite:///") and not text.startswith("sqlite:////"):
        return _absolute_sqlite(text[len("sqlite:///") :], text)
    if scheme == "file":
        return _from_path(uris.path_of(text), text)
    return text


def _absolute_sqlite(rest: str, text: str) -> str:
    if rest.startswith(":memory:") or not rest or rest[1:2] == ":":
        return text
    return f"sqlite:///{Path(rest.partition('?')[0]).absolute()}"


def _from_path(path: Path, text: str) -> str:
    if path.suffix in (".db", ".sqlite", ".sqlite3"):
        return f"sqlite:///{path}"
    if path.exists() and not path.is_dir():
        raise InvalidUri(
            f"The tracking location {text!r} is a file that is no database.", hint="Write sqlite:///<file>.db."
        )
    # A folder holds the default database, so that `set_tracking_uri("./runs")` works as a place.
    return f"sqlite:///{path / DEFAULT_FILE}"


def _name_neighbours(folder: Path) -> None:
    """Say once that MLflow's own data lies here, since people expect to see it."""
    global _named_neighbours  # noqa: PLW0603 - said once a process
    if _named_neighbours:
        return
    _named_neighbours = True
    found = [name for name in ("mlflow.db", "mlruns") if (folder / name).exists()]
    if found and not (folder / DEFAULT_FILE).exists():
        import warnings

        warnings.warn(
            f"{' and '.join(found)} here are MLflow's and stay as they are; dovetail keeps its runs in {DEFAULT_FILE}.",
            stacklevel=3,
        )
