"""The flavor of models that are plain Python objects."""

from __future__ import annotations

import os
import shutil
import tempfile
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dovetail import locations, uris
from dovetail.artifacts import transfer
from dovetail.documents import read_yaml
from dovetail.errors import InvalidModel, NotFound
from dovetail.models import loading
from dovetail.models.flavor import Flavor
from dovetail_pyfunc.pickling import dump
from dovetail_pyfunc.runtime import MODULE, UnreadableError, as_model
from dovetail_pyfunc.runtime import load as read_back
from dovetail_pyfunc.runtime import predict as predicted

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dovetail.models.function import Function
    from dovetail.models.signature import ModelSignature

__all__ = ["PyfuncFlavor", "PyfuncOptions", "load_model"]

ARTIFACTS = "artifacts"


@dataclass(frozen=True)
class PyfuncOptions:
    """What is saved beside a Python model.

    Args:
        artifacts: Name -> path or URI of a file or folder to keep with the model; ``context.artifacts`` has the paths.
        model_config: Plain data, or the path of a YAML file with it; ``context.model_config`` has it.
    """

    artifacts: Mapping[str, str] | None = None
    model_config: Mapping[str, Any] | str | os.PathLike[str] | None = None


class PyfuncFlavor(Flavor):
    """A ``PythonModel``, any other object with ``predict``, or a function of the input."""

    argument = "python_model"
    options = PyfuncOptions
    data = "python_model.pkl"
    loader_module = MODULE
    runtime = Path(__file__).with_name("runtime.py")
    pickles = ("python_model.pkl",)
    provides = (MODULE,)

    def save(self, model: Any, path: Path, options: Any) -> Mapping[str, Any]:
        """Write the pickled object and its artifacts."""
        import cloudpickle

        given = options or PyfuncOptions()
        dump(_as_model(model), path / self.data)
        conf: dict[str, Any] = {"python_model": self.data, "cloudpickle_version": cloudpickle.__version__}
        if given.artifacts:
            conf["artifacts"] = _keep(given.artifacts, path)
        if given.model_config is not None:
            conf["config"] = _config(given.model_config)
        return conf

    def load(self, path: Path, conf: Mapping[str, Any]) -> Any:
        """Read the object back, its context loaded."""
        try:
            return read_back(str(path), conf)
        except UnreadableError as error:
            raise InvalidModel(str(error), hint=error.hint) from error

    def requirements(self, options: Any) -> tuple[str, ...]:
        """What reads the pickle."""
        del options
        return ("cloudpickle",)

    def input_packages(self, model: Any, signature: ModelSignature | None) -> tuple[str, ...]:
        """Unless the signature says tensors, pandas: request bodies and CSV files become tables where it is there."""
        return super().input_packages(model, signature) or ("pandas",)

    def predict(self, model: Any, data: Any, params: Mapping[str, Any]) -> Any:
        """Predictions; context and params go to models that have arguments for them."""
        return predicted(model, data, params)


def load_model(
    model_uri: str | os.PathLike[str],
    suppress_warnings: bool = False,
    dst_path: str | os.PathLike[str] | None = None,
    model_config: Mapping[str, Any] | str | os.PathLike[str] | None = None,
    *,
    trust: str = "own",
) -> Function:
    """Load a model of any flavor as something with ``predict``.

    Args:
        model_uri: ``runs:/<run id>/<path>``, a local folder, or the URI of a folder in an artifact store.
        suppress_warnings: Whether warnings while loading are kept quiet.
        dst_path: The folder to put a copy in; by default none for models on this machine.
        model_config: Put over the configuration that was saved with the model.
        trust: As for ``dovetail.models.loading.fetch_model``.

    Returns:
        The model; its ``predict`` holds inputs against its signature.

    Raises:
        InvalidModel: ``model_config`` is given for a model that was not saved from a Python object.
    """
    with warnings.catch_warnings():
        if suppress_warnings:
            warnings.simplefilter("ignore")
        if model_config is None:
            return loading.load_function(model_uri, dst_path, trust=trust)
        folder = loading.fetch_model(model_uri, dst_path, trust=trust)
        return loading.load_function(folder, trust=trust, overrides=_overridden(folder, model_config))


def _overridden(folder: Path, given: Mapping[str, Any] | str | os.PathLike[str]) -> dict[str, Any]:
    function = loading.get_model_info(folder).flavors.get("python_function", {})
    if "python_model" not in function:
        raise InvalidModel("model_config is for models saved from a Python object, and this one was not.")
    return {"config": {**(function.get("config") or {}), **_config(given)}}


def _as_model(model: Any) -> Any:
    if isinstance(model, type):
        raise InvalidModel(f"{model.__qualname__} is a class; save an instance.", hint=f"Pass {model.__qualname__}().")
    if isinstance(model, (str, os.PathLike)):
        raise InvalidModel(f"python_model is the path {os.fspath(model)!r}.", hint="Pass the object: MyModel().")
    try:
        return as_model(model)
    except UnreadableError as error:
        raise InvalidModel(str(error), hint=error.hint) from error


def _config(given: Mapping[str, Any] | str | os.PathLike[str]) -> dict[str, Any]:
    return read_yaml(Path(given), error=InvalidModel) if isinstance(given, (str, os.PathLike)) else dict(given)


def _keep(artifacts: Mapping[str, str], path: Path) -> dict[str, dict[str, str]]:
    """Bring the artifacts below the model; what ``MLmodel`` says about them."""
    kept = {}
    for number, (name, uri) in enumerate(artifacts.items()):
        with tempfile.TemporaryDirectory(prefix="dovetail-artifact-") as scratch:
            local = _fetched(os.fspath(uri), Path(scratch))
            target = path / ARTIFACTS / local.name
            if target.exists():
                target = path / ARTIFACTS / str(number) / local.name
            _copy(local, target)
        kept[str(name)] = {"path": target.relative_to(path).as_posix(), "uri": uris.masked(os.fspath(uri))}
    return kept


def _fetched(uri: str, scratch: Path) -> Path:
    if uris.is_local(uri):
        local = uris.path_of(uri)
    else:
        store, place = locations.locate(uri)
        local = store.local_path(place) or transfer.download(store, place, scratch)
    if not local.exists():
        raise NotFound(f"The artifact {uris.masked(uri)} does not exist.")
    return local


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, target)
    else:
        shutil.copy2(source, target)
