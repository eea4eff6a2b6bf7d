"""The runtime of flavors that ship none: their environment has dovetail and the plugin, which load the model."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from dovetail.models.flavors import flavor_saved
from dovetail.models.manifest import Manifest

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["load", "predict"]


def load(path: str, conf: Mapping[str, Any]) -> Any:
    """The flavor and what it loaded."""
    flavor, _ = flavor_saved(Manifest.read(Path(path)))
    return flavor, flavor.load_function(Path(path), conf)


def predict(model: Any, data: Any, params: Mapping[str, Any]) -> Any:
    """Predictions by the flavor."""
    flavor, loaded = model
    return flavor.predict(loaded, data, params)
