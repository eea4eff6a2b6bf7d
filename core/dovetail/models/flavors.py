"""Which flavor serves a model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dovetail import plugins
from dovetail.errors import InvalidModel, PluginMissing
from dovetail.models.manifest import FUNCTION

if TYPE_CHECKING:
    from dovetail.models.flavor import Flavor
    from dovetail.models.manifest import Manifest

__all__ = ["flavor", "flavor_of", "flavor_saved"]

# Packages of first-party flavors, so that the error can say what to install when the flavor is absent.
_KNOWN = {
    "sklearn": "sklearn",
    "torch": "pytorch",
    "lightning": "pytorch",
    "xgboost": "xgboost",
    "lightgbm": "lightgbm",
}


def flavor(key: str) -> Flavor:
    """The flavor of that key. Raises ``PluginMissing``."""
    made: Flavor = plugins.find("flavors", key)()
    made.key = key
    return made


def flavor_of(model: Any) -> Flavor:
    """The flavor for a model: the nearest class of its type whose root package a flavor claims decides.

    A plain function or an object with ``predict`` of the user's own goes to ``pyfunc``.

    Raises:
        PluginMissing: The package is known, but its flavor is not installed: no other flavor is tried instead.
        InvalidModel: No flavor claims any of its classes.
    """
    claims = {point.name: point.value for point in plugins.installed() if point.group == plugins.PACKAGES}
    keys = {point.value: key for key, point in plugins.offers("flavors").items()}
    for each in type(model).__mro__:
        root = each.__module__.split(".")[0]
        if root in claims and claims[root] in keys:
            return flavor(keys[claims[root]])
        if root in _KNOWN:
            raise _absent(model, root, _KNOWN[root])
    if callable(model) or hasattr(model, "predict"):
        return flavor("pyfunc")
    raise InvalidModel(
        f"No flavor claims {type(model).__module__}.{type(model).__qualname__} objects.",
        hint=f"Installed flavors: {', '.join(sorted(plugins.offers('flavors'))) or 'none'}.",
    )


def _absent(model: Any, package: str, key: str) -> PluginMissing:
    from dovetail.install_hint import install_hint

    return PluginMissing(
        f"{type(model).__qualname__} is a {package} model, and the flavor for it is not installed.",
        hint=install_hint("flavors", key),
    )


def flavor_saved(manifest: Manifest) -> tuple[Flavor, dict[str, Any]]:
    """The flavor a saved model predicts by, with what ``MLmodel`` says for it.

    The file's ``loader_module`` is only ever mapped to an installed flavor's key, never imported.

    Raises:
        PluginMissing: None of the model's flavors is installed.
        InvalidModel: Its loader module is no flavor's.
    """
    function = manifest.flavors.get(FUNCTION, {})
    own = [key for key in manifest.flavors if key != FUNCTION]
    asked = [*_loader_keys(function.get("loader_module")), *own]
    for key in asked:
        if (found := _installed(key)) is not None:
            return found, {**function, **manifest.flavors.get(key, {})}
    if own:
        plugins.find("flavors", own[0])  # says what is missing and what to install
    raise InvalidModel(
        f"The model's loader module {function.get('loader_module')!r} belongs to no installed flavor.",
        hint="Install the plugin of the library that made the model.",
    )


def _installed(key: str) -> Flavor | None:
    try:
        return flavor(key)
    except PluginMissing:
        return None


def _loader_keys(loader: Any) -> list[str]:
    parts = loader.split(".") if isinstance(loader, str) else []
    return [parts[1]] if len(parts) > 1 and parts[0] in ("mlflow", "dovetail") else []
