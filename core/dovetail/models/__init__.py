"""Models: saving, loading and using them, whatever library made them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dovetail.models.flavor import Flavor
    from dovetail.models.function import Function
    from dovetail.models.info import ModelInfo
    from dovetail.models.loading import get_model_info
    from dovetail.models.manifest import Manifest
    from dovetail.models.scoring import predict
    from dovetail.models.signature import ModelSignature, infer_signature

_HOMES = {
    "Flavor": "flavor",
    "Function": "function",
    "Manifest": "manifest",
    "ModelInfo": "info",
    "ModelSignature": "signature",
    "get_model_info": "loading",
    "infer_signature": "signature",
    "predict": "scoring",
}

__all__ = [
    "Flavor",
    "Function",
    "Manifest",
    "ModelInfo",
    "ModelSignature",
    "get_model_info",
    "infer_signature",
    "predict",
]


def __getattr__(name: str) -> Any:
    """Load a public name at its first use."""
    from importlib import import_module

    if name not in _HOMES:
        raise AttributeError(f"module 'dovetail.models' has no attribute {name!r}")
    return getattr(import_module(f"dovetail.models.{_HOMES[name]}"), name)
