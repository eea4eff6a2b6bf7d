"""Registering models as they are logged."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from dovetail.errors import DovetailError, InvalidInput, InvalidModel, PluginMissing
from dovetail.models.loading import get_model_info
from dovetail.models.manifest import FUNCTION
from dovetail.registry.models import register_model
from dovetail.registry.registering import Registrar, check_wait
from dovetail.tracking import places
from dovetail.tracking.run_artifacts import RunArtifacts
from dovetail.values.registry import check_registered_name

if TYPE_CHECKING:
    from dovetail.models.info import ModelInfo
    from dovetail.tracking.store import TrackingStore

__all__ = ["Registration", "is_registered", "is_registrable", "register_existing"]


class Registration:
    """Registers a model once it is logged, if that is wanted; what can be wrong is seen before anything is uploaded.

    Args:
        name: The registered model it is to be a version of, created if it is new; None to register nothing.
        seconds: How long to wait at most until the version is ready.

    Raises:
        InvalidName: The name breaks the rules.
        InvalidInput: The time to wait is none.
    """

    def __init__(self, name: str | None, seconds: float | None) -> None:
        self._name = None if name is None else check_registered_name(name)
        self._seconds = check_wait(seconds)
        self._registrar: Registrar | None = None

    def prepare(self, store: TrackingStore) -> None:
        """Open the registry.

        Args:
            store: Where the model is logged; it is registered beside it, unless something else is chosen.

        Raises:
            PluginMissing: There is no registry.
        """
        if self._name is not None:
            self._registrar = Registrar(store, places.registry_store(store.uri))

    def of(self, info: ModelInfo) -> ModelInfo:
        """Register a model that is logged now, and say as which version.

        Raises:
            DovetailError: As the registry's own, with where the model is.
        """
        if self._registrar is None or self._name is None:
            return info
        try:
            new = self._registrar.version_of(self._name, info.model_uri)
            version = self._registrar.register(new, self._seconds)
        except DovetailError as error:
            raise type(error)(
                f"The model is logged, but not registered: {error.message}",
                hint=f"It is at {info.model_uri}; register_model registers it from there.",
            ) from error
        return replace(info, registered_model_version=version.version)


def is_registered(store: TrackingStore, run_id: str, path: str) -> bool:
    """Whether a version of a registered model is what lies at a path of a run; what it predicts must not change.

    Args:
        store: Where the run is.
        run_id: The run.
        path: The model's place below its artifacts.
    """
    if not RunArtifacts(store, run_id).store.list(path):
        return False
    try:
        registry = places.registry_store(store.uri)
    except PluginMissing:  # nothing can be registered
        return False
    versions = registry.search_model_versions(f"run_id = '{run_id}'")
    return any(version.source.rstrip("/") == f"runs:/{run_id}/{path}" for version in versions)


def is_registrable(model: object) -> bool:
    """Whether what stands in a model's place is the location of one that is logged already."""
    return isinstance(model, str) and model.startswith(("runs:/", "models:/"))


def register_existing(
    key: str | None,
    uri: str,
    registered_model_name: str,
    await_registration_for: float | None = 300,
    *,
    name: str | None = "model",
    **given: Any,
) -> ModelInfo:
    """Register a model that is logged already; nothing is logged anew.

    Args:
        key: The flavor it must have; None for any.
        uri: Where it is.
        registered_model_name: The registered model it is to be a version of.
        await_registration_for: Seconds to wait at most until the version is ready.
        name: What it is called where it is logged; it cannot be changed.
        given: Arguments that would change the model.

    Raises:
        InvalidInput: Such arguments are given.
        InvalidModel: The model has another flavor.
    """
    changes = [what for what, value in {"name": name, **given}.items() if value is not None and value != "model"]
    if changes:
        raise InvalidInput(
            f"{uri} is logged already and registered as it is; {', '.join(changes)} cannot be given.",
            hint="To change it, log the model itself.",
        )
    info = get_model_info(uri)
    if key is not None and (FUNCTION if key == "pyfunc" else key) not in info.flavors:
        raise InvalidModel(f"The model at {uri} has no flavor {key!r}, but {', '.join(sorted(info.flavors))}.")
    version = register_model(uri, registered_model_name, await_registration_for)
    return replace(info, registered_model_version=version.version)
