"""Loading models from wherever they are."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dovetail import locations, uris
from dovetail.artifacts import transfer
from dovetail.errors import InvalidInput, InvalidModel, NotFound, Untrusted
from dovetail.models.digests import file_digest
from dovetail.models.flavors import flavor, flavor_saved
from dovetail.models.function import Function
from dovetail.models.info import ModelInfo
from dovetail.models.manifest import FILE, FUNCTION, Manifest, inside
from dovetail.models.model_code import ModelCode

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dovetail.models.flavor import Flavor

__all__ = ["fetch_model", "get_model_info", "load_function", "load_model", "load_with", "verify"]

# This machine, and what the configured tracking store and registry say where it is.
OWN_SCHEMES = frozenset({"file", "runs", "models"})


def fetch_model(
    model_uri: str | os.PathLike[str], dst_path: str | os.PathLike[str] | None = None, *, trust: str = "own"
) -> Path:
    """Bring a model to this machine and check its files.

    Args:
        model_uri: ``runs:/<run id>/<path>``, a registered model such as ``models:/<name>/<version>``,
            ``models:/<name>@<alias>`` or ``models:/<name>/<stage>``, a logged model ``models:/<model id>``, a local
            folder, or the URI of a folder in an artifact store.
        dst_path: The folder to put it in; by default no copy for models on this machine, else a private folder that
            is removed when this process ends.
        trust: ``own`` takes local paths, the tracking store's runs and the registry's models; ``all`` takes any
            location; ``none`` takes no model at all, since loading one may run code.

    Returns:
        The model's folder.

    Raises:
        Untrusted: The location is not trusted.
        InvalidUri: It cannot be read as a location.
        NotFound: There is nothing.
        InvalidModel: It is no model, or a file is not what was saved.
    """
    uri = os.fspath(model_uri)
    _check_trust(uri, trust)
    folder = _fetched(uri, None if dst_path is None else Path(dst_path))
    if not folder.exists():
        raise NotFound(f"There is no model at {uris.masked(uri)}.")
    verify(folder)
    return folder


def load_model(
    key: str, model_uri: str | os.PathLike[str], dst_path: str | os.PathLike[str] | None = None, *, trust: str = "own"
) -> Any:
    """Load a model back into the object its library made.

    Args:
        key: The flavor to load it by.
        model_uri: As for ``fetch_model``.
        dst_path: As for ``fetch_model``.
        trust: As for ``fetch_model``.

    Raises:
        InvalidModel: The model was not saved with this flavor.
    """
    return load_with(flavor(key), model_uri, dst_path, trust=trust)


def load_with(
    loader: Flavor,
    model_uri: str | os.PathLike[str],
    dst_path: str | os.PathLike[str] | None = None,
    *,
    trust: str = "own",
) -> Any:
    """Load a model by a flavor at hand; for flavors that are made with arguments.

    Args:
        loader: The flavor.
        model_uri: As for ``fetch_model``.
        dst_path: As for ``fetch_model``.
        trust: As for ``fetch_model``.

    Raises:
        InvalidModel: The model was not saved with this flavor.
    """
    folder = fetch_model(model_uri, dst_path, trust=trust)
    manifest = Manifest.read(folder)
    conf = manifest.conf(FUNCTION if loader.key == "pyfunc" else loader.key)
    ModelCode.of(folder, manifest).use()
    return loader.load(folder, {**manifest.flavors.get(FUNCTION, {}), **conf})


def load_function(
    model_uri: str | os.PathLike[str],
    dst_path: str | os.PathLike[str] | None = None,
    *,
    trust: str = "own",
    overrides: Mapping[str, Any] | None = None,
) -> Function:
    """Load any model as something that predicts, its input held against its signature.

    Args:
        model_uri: As for ``fetch_model``.
        dst_path: As for ``fetch_model``.
        trust: As for ``fetch_model``.
        overrides: Put over what ``MLmodel`` says for the flavor.

    Raises:
        PluginMissing: The model's flavor is not installed.
    """
    folder = fetch_model(model_uri, dst_path, trust=trust)
    manifest = Manifest.read(folder)
    loader, conf = flavor_saved(manifest)
    code = ModelCode.of(folder, manifest)
    code.use()
    return Function(loader, loader.load_function(folder, {**conf, **(overrides or {})}), manifest, code)


def get_model_info(model_uri: str | os.PathLike[str]) -> ModelInfo:
    """What a model is, read from its ``MLmodel``; nothing is loaded or executed."""
    uri = os.fspath(model_uri)
    if uris.is_local(uri):
        return ModelInfo.of(Manifest.read(uris.path_of(uri)), uri)
    store, path = locations.locate(uri)
    with tempfile.TemporaryDirectory(prefix="dovetail-model-") as scratch:
        file = transfer.download(store, f"{path}/{FILE}".lstrip("/"), Path(scratch))
        return ModelInfo.of(Manifest.read(file.parent), uri)


def verify(folder: Path) -> None:
    """Hold the model's files against the digests taken when it was saved; models without digests pass.

    Raises:
        InvalidModel: A file is missing or differs.
    """
    for name, digest in Manifest.read(folder).digests.items():
        file = inside(folder, name, "path of a digest")
        if not file.is_file():
            raise InvalidModel(f"{folder}: the model's file {name} is missing.", hint="Fetch or save the model again.")
        if file_digest(file) != digest:
            raise InvalidModel(
                f"{folder}: {name} is not the file that was saved (its digest differs).",
                hint="Fetch or save the model again.",
            )


def _fetched(uri: str, destination: Path | None) -> Path:
    if uris.is_local(uri) and destination is None:
        return uris.path_of(uri)
    store, path = locations.locate(uri)
    if destination is None and (local := store.local_path(path)) is not None:
        return local
    return transfer.download(store, path, destination or Path(tempfile.mkdtemp(dir=_downloads(os.getpid()))))


@lru_cache(maxsize=1)
def _downloads(process: int) -> Path:
    """This process's own folder of downloaded models: they may read their files for as long as it lives."""
    folder = Path(tempfile.mkdtemp(prefix="dovetail-models-"))
    atexit.register(_remove, folder, process)
    return folder


def _remove(folder: Path, process: int) -> None:
    # A forked child inherits the registration, but not the folder.
    if os.getpid() == process:
        shutil.rmtree(folder, ignore_errors=True)


def _check_trust(uri: str, trust: str) -> None:
    if trust not in ("own", "all", "none"):
        raise InvalidInput(f"trust is {trust!r}.", hint="Use 'own', 'all' or 'none'.")
    if trust == "none":
        raise Untrusted(f"Loading {uris.masked(uri)} may run code, and trust='none' forbids that.")
    if trust == "own" and uris.scheme_of(uri) not in OWN_SCHEMES:
        raise Untrusted(
            f"{uris.masked(uri)} is outside your own stores, and loading a model runs code it brings.",
            hint="If you trust whoever wrote it, pass trust='all' (on the command line --trust all).",
        )
