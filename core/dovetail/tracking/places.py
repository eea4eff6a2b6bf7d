"""Where tracking happens in this process: the tracking and registry URIs, and the stores behind them."""

from __future__ import annotations

import os
import threading
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from dovetail import plugins, settings, uris
from dovetail.errors import ForeignLayout, InvalidUri, PluginError, PluginMissing
from dovetail.tracking import modes, recorders
from dovetail.tracking.choice import Choice
from dovetail.tracking.tracking_uri import DEFAULT_FILE, resolved, text_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from dovetail.registry.store import RegistryStore
    from dovetail.tracking.recorder import Recorder
    from dovetail.tracking.store import TrackingStore

__all__ = [
    "artifact_location",
    "flush_async_logging",
    "forget_places",
    "forget_stores",
    "get_registry_uri",
    "get_tracking_uri",
    "is_tracking_uri_set",
    "open_place",
    "open_registry",
    "open_store",
    "recorder",
    "registry_store",
    "registry_uri_beside",
    "resolved",
    "set_registry_uri",
    "set_tracking_uri",
    "store_at",
    "tracking_store",
]

_lock = threading.RLock()
_tracking = Choice("tracking_uri")
_registry = Choice("registry_uri")
_stores: dict[str, TrackingStore] = {}
_instead: dict[str, str] = {}  # places that are not what was opened for them, by what the mode said then
_registries: dict[str, RegistryStore] = {}
_named_neighbours = False


def set_tracking_uri(uri: str | os.PathLike[str] | None) -> None:
    """Choose where runs are tracked, for this process; None or an empty URI goes back to the settings.

    Processes that are started from now on track there too, unless they choose for themselves: ``DOVETAIL_TRACKING_URI``
    is set to it. Runs that are active stay where they were started.

    Args:
        uri: ``sqlite:///file.db``, another plugin's scheme, or a path: a ``.db`` file means a sqlite database, a folder
            one in it. What is relative is so to the present working folder.

    Raises:
        InvalidUri: It cannot be read as a location.
        ForeignLayout: It is a folder with runs of MLflow's.
        PluginMissing: Nothing installed answers for its scheme.
    """
    absolute = None if uri is None or uri == "" else resolved(uri)
    if absolute is not None:
        plugins.find("tracking_stores", uris.scheme_of(absolute))
    _choose(_tracking, absolute)


def get_tracking_uri() -> str:
    """The tracking URI in force: chosen, set by a setting, or ``sqlite:///<working folder>/dovetail.db``."""
    return _tracking.uri or _from_settings("tracking_uri") or resolved(DEFAULT_FILE)


def is_tracking_uri_set() -> bool:
    """Whether somebody chose a tracking URI, by call, environment or file."""
    return _tracking.uri is not None or settings.get("tracking_uri") is not None


def set_registry_uri(uri: str | os.PathLike[str] | None) -> None:
    """Choose where models are registered, for this process; None or an empty URI goes back to the settings.

    Processes that are started from now on find it in ``DOVETAIL_REGISTRY_URI``. Whether a plugin answers for its scheme
    shows when the registry is used.

    Args:
        uri: A location, as in ``set_tracking_uri``.

    Raises:
        InvalidUri: It cannot be read as a location.
        ForeignLayout: It is a folder with runs of MLflow's.
    """
    _choose(_registry, None if uri is None or uri == "" else resolved(uri))


def get_registry_uri() -> str:
    """The registry URI in force: chosen, set by a setting, or the tracking URI."""
    return registry_uri_beside(None)


def registry_uri_beside(tracking_uri: str | None) -> str:
    """The registry URI in force where runs are tracked at a URI; by default at the one in force."""
    return _registry.uri or _from_settings("registry_uri") or tracking_uri or get_tracking_uri()


def tracking_store() -> TrackingStore:
    """The tracking store in force."""
    if _tracking.uri is not None:
        return open_store(_tracking.uri)
    if (uri := settings.get("tracking_uri")) is None:
        _name_neighbours()
        return open_store(DEFAULT_FILE)
    with _naming_the_setting("tracking_uri"):
        return open_store(uri)


def open_store(uri: str | os.PathLike[str]) -> TrackingStore:
    """The store at a URI, with everything that this process logged to it; one instance a process and URI.

    What processes logged that have died is brought in when it is opened.
    """
    absolute = uri if isinstance(uri, str) and uri in _stores else resolved(uri)
    recorders.drain(absolute)
    return _opened(absolute)


def _opened(absolute: str) -> TrackingStore:
    if (known := _stores.get(absolute)) is not None:
        return known
    with _lock:
        if absolute not in _stores:
            place = modes.instead_of(absolute)
            store = modes.opened(place)
            recorders.recover(store)
            if place != absolute:
                _instead[absolute] = place
            _stores[absolute] = store
        return _stores[absolute]


def store_at(uri: str) -> TrackingStore:
    """The store at an absolute URI as it is: what this process logged to it may still be under way."""
    return _opened(uri)


def open_place(uri: str, closing: ExitStack) -> TrackingStore:
    """The store at an absolute URI itself, whatever the mode is: for bringing there what was kept elsewhere.

    Args:
        uri: The store's.
        closing: Closes what was opened for this alone.
    """
    recorders.drain(uri)
    if uri not in _instead and modes.is_online():
        return _opened(uri)
    store: TrackingStore = plugins.find("tracking_stores", uris.scheme_of(uri))(uri)
    closing.callback(store.close)
    recorders.recover(store)
    return store


def registry_store(tracking_uri: str | None = None) -> RegistryStore:
    """The model registry in force.

    Args:
        tracking_uri: Where runs are tracked, if not at the URI in force: models are registered there, too, unless
            something else is chosen or set.

    Raises:
        PluginMissing: No registry answers for its scheme.
    """
    if _registry.uri is not None:
        return open_registry(_registry.uri)
    if (uri := settings.get("registry_uri")) is not None:
        with _naming_the_setting("registry_uri"):
            return open_registry(uri)
    return open_registry(modes.registry_instead_of(tracking_uri or _named_tracking_uri()))


def _named_tracking_uri() -> str:
    if not is_tracking_uri_set():
        _name_neighbours()
    return get_tracking_uri()


def open_registry(uri: str | os.PathLike[str]) -> RegistryStore:
    """The model registry at a URI; one instance a process and URI.

    Raises:
        PluginMissing: No registry answers for its scheme.
    """
    if isinstance(uri, str) and (known := _registries.get(uri)) is not None:
        return known
    absolute = resolved(uri)
    with _lock:
        if absolute not in _registries:
            _registries[absolute] = _registry_factory(absolute)(absolute)
        return _registries[absolute]


def _registry_factory(uri: str) -> Callable[[str], RegistryStore]:
    scheme = uris.scheme_of(uri)
    try:
        factory: Callable[[str], RegistryStore] = plugins.find("registry_stores", scheme)
    except PluginMissing as error:
        if not _tracks(scheme):
            raise
        raise PluginMissing(
            f"Runs can be tracked at {uris.masked(uri)}, but models cannot be registered there.",
            hint="Choose a place for them: set_registry_uri('sqlite:///models.db'), or DOVETAIL_REGISTRY_URI.",
        ) from error
    return factory


def _tracks(scheme: str) -> bool:
    try:
        return plugins.find("tracking_stores", scheme) is not None
    except PluginError:
        return False


def artifact_location(location: str | os.PathLike[str]) -> str:
    """An artifact location that means the same from any working folder; paths become ``file:`` URIs.

    Raises:
        InvalidUri: It cannot be read as one, or has a fragment.
        PluginMissing: Nothing installed answers for its scheme.
    """
    text = text_of(location)
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
    if uri is None:
        uri = get_tracking_uri()
        if not recorders.is_recording(uri):
            tracking_store()  # what is wrong with the place is said as for everything else
    return recorders.recorder_at(uri, _opened)


def flush_async_logging() -> None:
    """Return when everything that this process logged, wherever to, is in its store.

    Raises:
        StoreError: A store cannot be reached; what was logged to it is safe on this machine.
        DovetailError: A store refused something since the last flush, such as a param that another process logged with
            another value: the first refusal that no call raised. All else that was logged is stored.
    """
    recorders.drain_all()
    recorders.tell_refusals()


def forget_stores() -> None:
    """Close and forget every open store and registry; the next use opens anew."""
    try:
        # Before anything is locked: plugins may look something up when they hear of what is delivered.
        recorders.close_recorders()
    finally:
        with _lock, ExitStack() as closing:
            for store in _stores.values():
                closing.callback(store.close)
            for registry in _registries.values():
                closing.callback(registry.close)
            _stores.clear()
            _instead.clear()
            _registries.clear()


def forget_places() -> None:
    """Be as if the process had just started: no URI chosen, no store open, nothing said about neighbours."""
    global _named_neighbours  # noqa: PLW0603 - the module's state
    _choose(_tracking, None)
    _choose(_registry, None)
    _named_neighbours = False
    forget_stores()


def _choose(choice: Choice, uri: str | None) -> None:
    with _lock:
        if uri is None:
            choice.drop()
        else:
            choice.make(uri)


def _from_settings(name: str) -> str | None:
    uri = settings.get(name)
    if uri is None:
        return None
    with _naming_the_setting(name):
        return resolved(uri)


@contextmanager
def _naming_the_setting(name: str) -> Iterator[None]:
    """A location that somebody set long ago, or somewhere else, is no help without where it was set."""
    try:
        yield
    except (InvalidUri, ForeignLayout, PluginMissing) as error:
        raise type(error)(f"{error.message} It is set by {settings.origin(name)}.", hint=error.hint) from error


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
            f"{' and '.join(found)} here are MLflow's and stay as they are; dovetail keeps its runs in {DEFAULT_FILE}."
            f" `dovetail import mlflow {found[0]}` brings what is there.",
            stacklevel=3,
        )


def _begin_anew_after_fork() -> None:
    """Another thread may have held the lock when the process forked; in the child nobody would ever release it."""
    global _lock  # noqa: PLW0603 - the module's state
    _lock = threading.RLock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_begin_anew_after_fork)
