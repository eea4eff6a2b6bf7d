"""Models: saving, loading and using them, whatever library made them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dovetail import lazy

if TYPE_CHECKING:
    from dovetail.models.amending import RequirementsChange, update_model_requirements
    from dovetail.models.dependencies import get_model_dependencies
    from dovetail.models.flavor import Flavor
    from dovetail.models.function import Function
    from dovetail.models.info import ModelInfo
    from dovetail.models.loading import get_model_info
    from dovetail.models.manifest import Manifest
    from dovetail.models.scoring import predict, prepare_env
    from dovetail.models.signature import ModelSignature, infer_signature

_HOMES = {
    "Flavor": "flavor",
    "Function": "function",
    "Manifest": "manifest",
    "ModelInfo": "info",
    "ModelSignature": "signature",
    "RequirementsChange": "amending",
    "get_model_dependencies": "dependencies",
    "get_model_info": "loading",
    "infer_signature": "signature",
    "predict": "scoring",
    "prepare_env": "scoring",
    "update_model_requirements": "amending",
}

__all__ = [
    "Flavor",
    "Function",
    "Manifest",
    "ModelInfo",
    "ModelSignature",
    "RequirementsChange",
    "get_model_dependencies",
    "get_model_info",
    "infer_signature",
    "predict",
    "prepare_env",
    "update_model_requirements",
]

if not TYPE_CHECKING:
    __getattr__, __dir__ = lazy.attributes(__name__, _HOMES), lazy.names(__name__, _HOMES)
